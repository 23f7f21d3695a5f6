"""Sockets that carry frames; nothing here knows of leaders and followers.

``connection``
    one socket: reads, writes, matches answers with requests.
``sender``, ``outgoing``
    its sending side: coalesces, and lets senders wait for room; the bytes that wait.
``server``
    one listening socket: accepts, reads registrations, hands connections to channels.
``heartbeat``
    finds peers that have gone silent.
``fork_guard``
    keeps a forked child off its parent's descriptors.
"""
