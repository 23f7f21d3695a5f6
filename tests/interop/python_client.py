"""The real client of Python's side: what ``real_client.js`` is on Node's."""

from __future__ import absolute_import, division, print_function

import datetime

import gevent

from clusterclient_sync import DataClientBase

DATE = datetime.datetime(2024, 2, 29, 12, 30, 15, 123000)


class CodedError(Exception):
    """An error with the members that Node's have."""

    def __init__(self, message, code):
        super(CodedError, self).__init__(message)
        self.code = code


class RealClient(DataClientBase):
    """In the process of the test, which looks at what was done to it."""

    def __init__(self, config=None):
        super(RealClient, self).__init__()
        self.config = config or {}
        self.subscribers = {}
        self.subscribed = []
        self.unsubscribed = []
        self.published = []
        self.touched = []
        self.closes = 0

    def init(self):
        self.config.get("made", []).append(self)
        if "gate" in self.config:
            self.config["gate"].wait()
        if self.config.get("fails"):
            raise CodedError("not today", "ESTART")

    def subscribe(self, registration, listener):
        self.subscribed.append(registration)
        self.subscribers[registration["dataId"]] = listener
        if "value" in registration:
            listener(registration["value"])

    def unsubscribe(self, registration, listener=None):
        self.unsubscribed.append(registration)

    def publish(self, registration):
        self.published.append(registration)

    def push(self, key, value):
        self.subscribers[key](value)

    def echo(self, *args):
        return args[0] if len(args) == 1 else list(args)

    def whoami(self):
        return "python"

    def get_config(self, data_id, group="g", limit=10, callback=None):
        callback(None, [data_id, group, limit])

    def get_later(self, value, callback):
        gevent.spawn(callback, None, value)

    def get_generated(self, value):
        return value

    def get_nothing(self):
        return None

    def get_never(self):
        gevent.sleep(3600)

    def get_set(self):
        return {1, 2}

    def get_unreal(self):
        return [1.5, {"a": float("nan")}]

    def touch(self, value):
        self.touched.append(value)

    def fail(self, message, code=None):
        raise CodedError(message, code)

    def fail_later(self, message, callback):
        gevent.spawn(callback, CodedError(message, None))

    def throw_at_once(self):
        raise KeyError("at once")

    def close(self):
        self.closes += 1
