"""How a leader is chosen and found.

An engine has two questions to answer, and :class:`~.ports.PortElection` is the one that there is:

``claim(channel, handler)``
    try to lead: a seat, or ``None`` where another leads.
``locate(timeout)``
    a connected socket to whoever leads.
"""
