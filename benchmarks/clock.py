"""The clock of all processes that are measured: monotonic, and the same for a whole host.

Its own module, because the processes of peers have neither gevent nor the package.
"""

from __future__ import absolute_import, division, print_function

try:
    from time import monotonic
except ImportError:  # Python 2
    from monotonic import monotonic

__all__ = ["monotonic"]
