"""Imported by the process whose real client raises this, and by no other."""

from __future__ import absolute_import, division, print_function


class ElsewhereError(Exception):
    """A class that the caller does not know."""

    def __init__(self, text, code):
        super(ElsewhereError, self).__init__(text)
        self.code = code
