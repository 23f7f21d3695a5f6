"""Options that are no JSON, by name, so that two processes of a test can have the same ones."""

from __future__ import absolute_import, division, print_function

import json

import gevent
from greenlet import getcurrent

#: What ran in the hub although it is the user's.
ran_in_hub = []


def note_where(what):
    """To be called in user code: it must not run in the hub."""
    if getcurrent() is gevent.get_hub():
        ran_in_hub.append(what)


class ReversedTranscode(object):
    """JSON text backwards: nothing else can read it."""

    name = "reversed"

    def encode(self, value):
        note_where("encode")
        return json.dumps(value).encode("ascii")[::-1]

    def decode(self, data):
        note_where("decode")
        return json.loads(data[::-1].decode("ascii"))


class FaultyTranscode(ReversedTranscode):
    """Fails at the text ``"poison"``: in encode, or in decode."""

    name = "faulty"

    def encode(self, value):
        if value == "poison":
            raise RuntimeError("poison")
        return super(FaultyTranscode, self).encode(value)

    def decode(self, data):
        value = super(FaultyTranscode, self).decode(data)
        if value == "late poison":
            raise RuntimeError("late poison")
        return value


def key_without_case(registration):
    """Registrations are the same whatever the case of their ``dataId``."""
    note_where("format_key")
    return registration["dataId"].lower()


def key_of_publish(registration):
    note_where("publish_key")
    return registration["dataId"]


NAMED = {
    "@reversed": ReversedTranscode(),
    "@faulty": FaultyTranscode(),
    "@key_without_case": key_without_case,
    "@key_of_publish": key_of_publish,
}


def resolved(options):
    """The options with names replaced by what they stand for."""
    return {str(name): NAMED.get(value, value) if hasattr(value, "encode") else value
            for name, value in options.items()}
