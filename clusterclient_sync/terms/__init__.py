"""A term is one stay of a client in a role, from finding it to leaving it.

A term is served by the supervisor's greenlet: ``serve()`` returns when the term is over.  The
supervisor then begins the next one, until the client is closed.

``leading``
    from a seat that was won to a port that is free again.
``following``
    from a connection to a leader to its loss.
``sharing``
    single mode: a share in this process's real client.
"""
