"""What is to be said about the package stands in ``setup.cfg``."""

from setuptools import setup

setup()
