"""Frames that went wrong on the way: what a fuzz test throws at a leader.

:class:`Mutator` begins with frames as a follower sends them, and spoils each in one way or two.
Everything it does follows from its random numbers, so that a seed tells a whole run.
"""

from __future__ import absolute_import, division, print_function

import json

from support import raw_peer

#: The real client's methods that a mutated call may name: none of them waits or takes memory.
_METHODS = ("echo", "whoami", "publish", "push", "fail")
_KEY = "$$inner$$__%s"

_ODD_NUMBERS = (0, -1, 1, 2 ** 15, 2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 53, 2 ** 63, 2 ** 70,
                -2 ** 70, 1e308, -0.0, 0.5)
_ODD_VALUES = _ODD_NUMBERS + (
    None, True, False, "", "x", u"\u00e9\u20ac", u"\ud83d\ude00", "\0", "a" * 300, [], {}, [[]],
    {"$type": "bytes"}, {"$type": "int", "value": "1"}, {"$type": []}, [None] * 50,
    {"a": {"b": [{"c": 1}]}}, "invoke", "register_channel", "close", "__class__")
_ODD_BYTES = (b"", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"{", b"[" * 2000, b'{"a":' * 2000,
              b"NaN", b"1e999", b"-", b'"\\ud800"', b'"\\u00', b"\0", b"^^^^", b"|||^1|2^^^$0|",
              b"a^^^^$-1", b"9" * 5000, b"^^^^@" * 3000, b'{"$type":"decimal","value":"x"}',
              b'{"$type":"datetime","value":"9999-99-99"}', b'{"$type":"int","value":"1e9"}')
_MEMBERS = ("type", "method", "argLength", "oneway", "kwargs", "key", "reg", "channelName",
            "clusterclient_sync", "epoch", "success")


class Mutated(object):
    """One frame: its bytes, and whether the stream can be read on behind it, as far as is known."""

    def __init__(self, data, may_go_on):
        self.data = data
        self.may_go_on = may_go_on


class Mutator(object):
    """Makes mutated frames.

    :param rng: a ``random.Random``.
    :param channel: the name of the leader's channel.
    """

    def __init__(self, rng, channel="RealClient"):
        self._rng = rng
        self._channel = channel
        self._with_valid_header = (self._odd_member, self._odd_member, self._odd_member,
                                   self._odd_body, self._odd_arguments, self._cut_arguments,
                                   self._unknown_type, self._odd_hello, self._odd_head)
        self._with_odd_header = (self._odd_id, self._odd_timeout, self._reserved, self._response)
        self._with_fatal_header = (self._flipped, self._odd_lengths, self._odd_start, self._cut)

    def hello(self):
        """What a Python follower adds to its registration, or ``None`` for a Node follower."""
        return raw_peer.hello(can=["kwargs", "epoch", "events"]) if self._rng.random() < 0.5 \
            else None

    def next(self):
        """The next frame, as :class:`Mutated`; a third of them have valid headers."""
        choice = self._rng.random()
        if choice < 1.0 / 3:
            ways = self._with_valid_header
        else:
            # Not too many of what ends a connection: the leader is to read what is thrown at it.
            ways = self._with_fatal_header if choice < 0.42 else self._with_odd_header
        return self._rng.choice(ways)(*self._sound())

    # What a follower sends --------------------------------------------------------------------

    def _sound(self):
        return self._rng.choice((self._call, self._call, self._call, self._subscription,
                                 self._registration, self._heartbeat))()

    def _call(self):
        rng = self._rng
        method = rng.choice(_METHODS)
        arguments = {
            "echo": [rng.choice(_ODD_VALUES) for _ in range(rng.randrange(4))],
            "publish": [{"dataId": "p"}],
            "push": ["k", rng.choice(_ODD_VALUES)],
            "fail": ["ValueError", ["spoilt"]],
        }.get(method, [])
        head = {"type": "invoke", "method": method, "argLength": len(arguments),
                "oneway": rng.random() < 0.05}
        if rng.random() < 0.1:
            head["kwargs"] = True
        return head, raw_peer.arguments(*[raw_peer.json_bytes(value) for value in arguments])

    def _subscription(self):
        name = self._rng.choice(("k", "l", "m"))
        type = self._rng.choice(("subscribe", "subscribe", "unSubscribe"))
        registration = {"dataId": name}
        return {"type": type, "key": _KEY % json.dumps(registration, separators=(",", ":")),
                "reg": registration}, b""

    def _registration(self):
        head = {"type": "register_channel", "channelName": self._channel}
        hello = self.hello()
        if hello is not None:
            head["clusterclient_sync"] = hello
        return head, b""

    @staticmethod
    def _heartbeat():
        return {"type": "heartbeat"}, b""

    # Spoilt, but in a valid header ---------------------------------------------------------------

    def _frame(self, head, body, may_go_on=True, kind=0, **how):
        # Few numbers: many are used twice at a time.
        how.setdefault("number", self._rng.randrange(1, 50))
        return Mutated(raw_peer.frame(kind, how.pop("number"), head, body, **how), may_go_on)

    def _odd_member(self, head, body):
        head = dict(head)
        for _ in range(self._rng.randrange(1, 3)):
            name = self._rng.choice(_MEMBERS + tuple(head))
            if self._rng.random() < 0.2:
                head.pop(name, None)
            else:
                head[name] = self._rng.choice(_ODD_VALUES)
        return self._frame(head, body)

    def _odd_hello(self, head, body):
        head, _ = self._registration()
        hello = head["clusterclient_sync"] = raw_peer.hello(fingerprint="a")
        for _ in range(self._rng.randrange(1, 4)):
            value = self._rng.choice(_ODD_VALUES)
            hello[self._rng.choice(sorted(hello))] = value
        return self._frame(head, b"")

    def _unknown_type(self, head, body):
        return self._frame(dict(head, type=self._rng.choice(("dance", "goodbye", "event", 7))),
                           body)

    def _odd_body(self, head, body):
        if not body:
            return self._frame(head, self._rng.choice(_ODD_BYTES))
        return self._frame(head, self._with_flipped_bits(body))

    def _odd_arguments(self, head, body):
        count = self._rng.randrange(1, 4)
        odd = [self._rng.choice(_ODD_BYTES) for _ in range(count)]
        return self._frame({"type": "invoke", "method": "echo", "argLength": count,
                            "oneway": False, "kwargs": self._rng.random() < 0.3},
                           raw_peer.arguments(*odd))

    def _cut_arguments(self, head, body):
        head, body = self._call()
        if self._rng.random() < 0.5:
            head["argLength"] = self._rng.choice(_ODD_NUMBERS + ("1", None, [], 3))
        return self._frame(head, body[:self._rng.randrange(len(body) + 1)])

    def _odd_head(self, head, body):
        """No JSON object at all, or hardly one."""
        data = json.dumps(head).encode("ascii")
        odd = self._rng.choice((
            self._with_flipped_bits(data), data[:-1], b"[" + data + b"]", b" " * 50 + data,
            b'{"type":"\xff\xfe"}', b"[" * 3000, b'{"a":' * 3000, b"null", b"7", b"",
            data[:-1] + b',"type":"echo"}', data.replace(b'"', b"'")))
        return self._frame(odd, body, may_go_on=False)

    # Spoilt in the header ------------------------------------------------------------------------

    def _odd_id(self, head, body):
        number = self._rng.choice((0, -1, 1, 2 ** 53, 2 ** 63 - 1, -2 ** 63))
        return self._frame(head, body, number=number)

    def _odd_timeout(self, head, body):
        odd = self._rng.choice((0, -1, 1, 2 ** 31 - 1, -2 ** 31))
        return self._frame(head, body, timeout_ms=odd)

    def _reserved(self, head, body):
        made = self._frame(head, body)
        odd = bytearray(made.data)
        odd[2 + self._rng.randrange(2)] = self._rng.randrange(1, 256)
        return Mutated(bytes(odd), True)

    def _response(self, head, body):
        """A response to nothing, or to what the leader has asked."""
        type = self._rng.choice(("register_channel_res", "invoke_result", "goodbye_res",
                                 "subscribe_result_res", "heartbeat_res", None))
        return self._frame({"type": type, "success": self._rng.choice(_ODD_VALUES)}, body, kind=1)

    def _flipped(self, head, body):
        made = self._frame(head, body)
        return Mutated(self._with_flipped_bits(made.data), False)

    def _odd_lengths(self, head, body):
        return self._frame(head, body, may_go_on=False, **{
            self._rng.choice(("head_size", "body_size")): self._rng.choice(
                (-1, -2 ** 31, 2 ** 31 - 1, 0, 1, 2 ** 16, 2 ** 26, 2 ** 26 + 1))})

    def _odd_start(self, head, body):
        if self._rng.random() < 0.5:
            return self._frame(head, body, may_go_on=False, version=self._rng.randrange(2, 256))
        return self._frame(head, body, may_go_on=False, kind=self._rng.randrange(2, 256))

    def _cut(self, head, body):
        data = self._frame(head, body).data
        return Mutated(data[:self._rng.randrange(len(data))], False)

    def _with_flipped_bits(self, data):
        odd = bytearray(data)
        for _ in range(self._rng.randrange(1, 4)):
            odd[self._rng.randrange(len(odd))] ^= 1 << self._rng.randrange(8)
        return bytes(odd)
