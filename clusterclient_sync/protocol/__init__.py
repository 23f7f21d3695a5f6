"""The wire protocol, without I/O: bytes in, frames and messages out.

Nothing in this package imports gevent or sockets.

``frames``
    the 24-byte header; one encoder.
``decoder``
    bytes as they come, in any split, to frames.
``messages``
    what the frames' connection objects say; how arguments are packed.
``plain_json``
    the JSON beside application values.
``negotiation``
    what a pair of peers found out about each other when one registered at the other.
``keys``
    the canonical form of a registration.
``errors``
    exceptions to plain values and back.
``transcodes``
    application values to bytes and back.
"""
