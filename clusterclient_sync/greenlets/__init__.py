"""How this library uses greenlets: waiting, deadlines, workers.

Nothing here knows of sockets, frames or roles.  All objects of this package belong to one hub and
are used from its thread only.
"""
