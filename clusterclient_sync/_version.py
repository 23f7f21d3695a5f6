"""The version, in its one place: ``setup.cfg`` and the protocol's hello read it from here."""

from __future__ import absolute_import, division, print_function

__version__ = "0.1.0"
