"""How threads, hubs and forks find the hub in which a client lives.

``waiters``
    block the calling thread or greenlet, whichever that is.
``crossing``
    one call from elsewhere into a hub, and its outcome back.
``hub_thread``
    the thread that has a hub where the process is not gevent's.
``gate``
    what a cluster client talks to: the core in the right process and thread.
``at_exit``
    the end of the interpreter.
"""
