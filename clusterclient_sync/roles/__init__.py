"""What a process is to its channel.

``host``
    the real client: its life, its methods, its events, its subscriptions (with ``upstream``).
``invocation``
    one call at the real client.
``local``
    the role of a process that has the real client itself: a leader's own clients, single mode.
``leader``, ``session``, ``outbox``
    a leader serves its followers.
``follower``
    forwards over a connection.
``node_speech``
    which transcode Node.js peers have, and how that is found out.
``subscriptions``, ``publishes``, ``backlog``, ``call``
    what a client keeps whatever its role is, and hands to the next one.
``event_arguments``
    the real client's events, the same in every process.

A role, as the core sees it, has ``invoke(call)``, ``invoke_oneway(call)``, ``publish(call)``,
``subscribe(entry)``, ``unsubscribe(entry)``, ``transcode``, ``epoch``, ``leader_pid`` and
``is_leader``.
"""
