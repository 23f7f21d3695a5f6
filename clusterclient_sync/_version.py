"""The version, in its one place: ``setup.cfg`` and the protocol's hello read it from here."""

__version__ = "0.1.0"
