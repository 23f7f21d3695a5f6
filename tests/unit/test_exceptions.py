# -*- coding: utf-8 -*-
"""The errors: one base, details as attributes, pickle, outcomes."""

from __future__ import absolute_import, division, print_function

import copy
import pickle

import six

from clusterclient_sync import exceptions
from clusterclient_sync.exceptions import ClusterClientError, RemoteError, outcome, set_outcome

NAMES = [
    "ConfigurationError", "ProtocolError", "FrameTooLargeError", "TranscodeError",
    "ConnectionClosedError", "ResponseTimeoutError", "LeaderUnavailableError",
    "ChannelNotFoundError", "PortOccupiedError", "SubscribeTimeoutError", "ClientClosedError",
    "RemoteError"]
CLASSES = [getattr(exceptions, name) for name in NAMES]


def test_these_are_all_there_are():
    found = {name for name, value in vars(exceptions).items()
             if isinstance(value, type) and issubclass(value, Exception)}
    assert found == set(NAMES) | {"ClusterClientError"}


def test_who_derives_from_whom():
    assert all(issubclass(cls, ClusterClientError) for cls in CLASSES)
    assert issubclass(exceptions.FrameTooLargeError, exceptions.ProtocolError)
    assert issubclass(exceptions.PortOccupiedError, exceptions.LeaderUnavailableError)


def test_details_are_attributes_and_survive_pickle_and_copy():
    for cls in CLASSES:
        check_details(cls)


def check_details(cls):
    details = {name: "the %s" % name for name in cls.detail_names}
    details["extra"] = [1, {"a": 2}]
    error = cls(u"it f\xe4iled", **details)
    copies = [pickle.loads(pickle.dumps(error, protocol))
              for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for one in copies + [copy.copy(error), copy.deepcopy(error), error]:
        assert type(one) is cls
        assert one.message == u"it f\xe4iled"
        assert six.text_type(one) == six.text_type(error)
        assert u"it f\xe4iled" in six.text_type(one)
        assert one.details() == details
        for name, value in details.items():
            assert getattr(one, name) == value


def test_details_that_are_not_known_are_none():
    for cls in CLASSES:
        error = cls("text")
        assert error.outcome is None
        for name in cls.detail_names:
            assert getattr(error, name) is None
        assert error.details() == {}
        assert error.args == ("text",)
        assert str(cls()) == ""
        assert isinstance(repr(cls(u"\u4e16")), str)


def test_text_in_bytes_is_shown_as_text():
    for cls in (ClusterClientError, RemoteError):
        assert six.text_type(cls(u"\xe4".encode("utf-8"))) == u"\xe4"


def test_a_remote_error_names_the_class_of_the_original():
    error = RemoteError(u"n\xf6", name="KeyError", code=7, stack="at ...")
    assert six.text_type(error) == u"KeyError: n\xf6"
    assert (error.code, error.stack) == (7, "at ...")
    assert six.text_type(RemoteError("no")) == u"no"


def test_an_attribute_that_was_set_later_survives_too():
    error = exceptions.ResponseTimeoutError("late", timeout=3)
    error.timeout = 4
    error.method = "get"
    set_outcome(error, exceptions.UNKNOWN)
    one = pickle.loads(pickle.dumps(error))
    assert (one.timeout, one.method, one.outcome) == (4, "get", "unknown")


class Foreign(Exception):
    outcome = "mine"


class Slotted(Exception):
    # Exceptions have a dict all the same; this refuses what outcome() would leave there.
    def __setattr__(self, name, value):
        raise AttributeError(name)


def test_outcomes_of_any_exception():
    assert outcome(ValueError()) is None
    assert outcome(ClusterClientError("x")) is None
    assert outcome(exceptions.ClientClosedError("x", outcome="not_sent")) == "not_sent"
    assert outcome(Foreign()) is None
    for error in (ValueError("x"), Foreign(), ClusterClientError("x")):
        assert set_outcome(error, exceptions.FAILED) is error
        assert outcome(error) == "failed"
    assert Foreign.outcome == "mine"


def test_an_exception_that_takes_no_attribute_passes_unharmed():
    error = Slotted()
    assert set_outcome(error, exceptions.FAILED) is error
    assert outcome(error) is None
