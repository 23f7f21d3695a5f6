# -*- coding: utf-8 -*-
from __future__ import absolute_import, division, print_function

import pickle
import socket
import traceback

import hypothesis
import pytest
import six
from hypothesis import strategies as st

from clusterclient_sync import exceptions
from clusterclient_sync.exceptions import RemoteError, TranscodeError, outcome
from clusterclient_sync.protocol import errors
from clusterclient_sync.protocol.errors import dump_error, load_error
from clusterclient_sync.protocol.transcodes import JSON, SERIALIZE_JSON

relaxed = hypothesis.settings(deadline=None, derandomize=True)

constructed = []


class TwoArguments(Exception):
    """A class as users write them: not to be rebuilt from its args by its own constructor."""

    def __init__(self, host, reason):
        constructed.append(host)
        super(TwoArguments, self).__init__(u"%s: %s" % (host, reason))
        self.host = host
        self.reason = reason


class WithState(ValueError):
    retries = None


class WithSlots(Exception):
    __slots__ = ("a", "__b", "never_set")

    def __init__(self, a, b):
        super(WithSlots, self).__init__(a)
        self.a = a
        self.__b = b

    def b(self):
        return self.__b


class Frozen(Exception):
    def __setattr__(self, name, value):
        raise TypeError("frozen")


class Mixin(object):
    pass


class GoneError(Mixin, OSError):
    def __init__(self, path):
        super(GoneError, self).__init__(2, "gone", path)


class Outer(object):
    class Inner(Exception):
        pass


class Upstream(exceptions.ResponseTimeoutError):
    def __init__(self, upstream):
        super(Upstream, self).__init__(u"upstream is slow", timeout=3, outcome="unknown")
        self.upstream = upstream


def encodable(transcode):
    def takes(value):
        try:
            transcode.encode(value)
        except TranscodeError:
            return False
        return True
    return takes


def raised(error):
    """The error, with the traceback that it has while it is handled."""
    try:
        raise error
    except BaseException as caught:
        return dump_error(caught, encodable(JSON))


def sent(error, transcode=JSON):
    """The error as its caller gets it."""
    dumped = dump_error(error, encodable(transcode))
    return load_error(transcode.decode(transcode.encode(dumped)))


both = pytest.mark.parametrize("transcode", [JSON, SERIALIZE_JSON], ids=lambda one: one.name)


# --- the form ----------------------------------------------------------------------------------

def test_the_members_are_those_of_nodes_errors_and_one_of_python():
    error = WithState(u"no", 1)
    error.retries = 3
    error.code = u"E_NO"
    dumped = raised(error)
    assert set(dumped) == {"name", "message", "stack", "code", "python"}
    assert dumped["name"] == u"WithState" and dumped["code"] == u"E_NO"
    assert dumped["message"] == six.text_type(error)
    assert u"Traceback" in dumped["stack"] and u"raise error" in dumped["stack"]
    assert all(isinstance(dumped[name], six.text_type) for name in ("name", "message", "stack"))
    assert dumped["python"] == {
        "module": __name__, "qualname": "WithState", "args": [u"no", 1],
        "attributes": {"retries": 3, "code": u"E_NO"},
        "builtins": [base.__name__ for base in ValueError.__mro__ if base is not object]}


def test_code_is_the_attribute_or_the_errno():
    error = ValueError()
    for code, wanted in ((5, 5), (u"x", u"x"), (True, None), ([], None), (None, None)):
        error.code = code
        assert dump_error(error, encodable(JSON))["code"] == wanted
    assert dump_error(OSError(2, "x"), encodable(JSON))["code"] == 2
    error.code = 2 ** 60
    assert dump_error(error, encodable(SERIALIZE_JSON))["code"] is None


def test_a_given_stack_is_taken():
    assert dump_error(ValueError(), encodable(JSON), stack=u"there")["stack"] == u"there"


class Broken(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __unicode__ = __repr__ = __str__

    @property
    def code(self):
        raise RuntimeError("no code")


class Bytes(Exception):
    def __str__(self):
        return b"caf\xe9"


@pytest.mark.parametrize("error", [Broken(), Bytes(), ValueError(b"\xff"), ValueError(u"\ud800"),
                                   ValueError(u"\u20ac"), KeyError(), UnicodeError(u"\u20ac")])
def test_any_message_becomes_text_that_every_transcode_takes(error):
    for transcode in (JSON, SERIALIZE_JSON):
        dumped = dump_error(error, encodable(transcode))
        back = transcode.decode(transcode.encode(dumped))
        assert isinstance(back["message"], six.text_type)
        assert outcome(load_error(back)) == "failed"


def test_arguments_that_cannot_be_encoded_leave_the_python_member_out():
    dumped = dump_error(ValueError(object()), encodable(JSON))
    assert "python" not in dumped
    error = load_error(dumped)
    assert type(error) is RemoteError and error.name == u"ValueError"


def test_attributes_that_cannot_be_encoded_are_left_out():
    error = WithState()
    error.response = object()
    error.status = 503
    back = sent(error)
    assert type(back) is WithState and back.status == 503 and not hasattr(back, "response")


def test_a_transcode_that_fails_takes_nothing():
    def fails(value):
        raise ZeroDivisionError

    dumped = dump_error(ValueError(1), fails)
    assert "python" not in dumped and dumped["message"] == u"1"


# --- back to the same class --------------------------------------------------------------------

@both
@pytest.mark.parametrize("error", [
    ValueError(u"a", 1), KeyError(u"a"), IndexError(), Exception(u"x", None), ZeroDivisionError(),
    StopIteration(5), NotImplementedError(u"not yet"), AssertionError(), UnicodeError(u"x"),
    SyntaxError(u"m", (u"f.py", 1, 2, u"text")), RuntimeError({u"a": [1]}),
], ids=lambda error: type(error).__name__)
def test_built_in_exceptions_are_themselves(error, transcode):
    back = sent(error, transcode)
    assert type(back) is type(error)
    assert six.text_type(back) == six.text_type(error)
    assert outcome(back) == "failed"


@both
def test_os_errors_keep_their_errno_strerror_and_filename(transcode):
    for error in (OSError(2, "gone"), OSError(2, "gone", u"file"), IOError(13, "no", u"file"),
                  GoneError(u"file"), socket.error(111, "refused")):
        back = sent(error, transcode)
        assert type(back) is type(error) and back.errno == error.errno
        assert back.strerror == error.strerror and back.filename == error.filename
        assert str(back) == str(error)


@both
def test_unicode_errors(transcode):
    for fail in (lambda: b"ab\xff".decode("utf-8"), lambda: b"\xc3\xa9".decode("ascii"),
                 lambda: u"a\u20ac".encode("ascii")):
        with pytest.raises(UnicodeError) as caught:
            fail()
        back = sent(caught.value, transcode)
        assert type(back) is type(caught.value)
        assert str(back) == str(caught.value)
        assert (back.start, back.end, back.object) == (
            caught.value.start, caught.value.end, caught.value.object)


@both
def test_a_users_class_comes_back_without_its_constructor(transcode):
    error = TwoArguments(u"h", u"down")
    del constructed[:]
    back = sent(error, transcode)
    assert type(back) is TwoArguments
    assert (str(back), back.host, back.reason, back.args) == ("h: down", u"h", u"down", error.args)
    assert constructed == []


@both
def test_slots_are_attributes_too(transcode):
    back = sent(WithSlots(1, u"b"), transcode)
    assert type(back) is WithSlots and (back.a, back.b()) == (1, u"b")
    assert not hasattr(back, "never_set")


def test_a_class_that_forbids_attributes():
    back = sent(Frozen(u"x"))
    assert type(back) is Frozen and outcome(back) == "failed" and back.remote_stack


@pytest.mark.skipif(six.PY2, reason="Python 2 does not know where a class is nested")
def test_a_nested_class():
    assert type(sent(Outer.Inner(u"x"))) is Outer.Inner


def test_the_leaders_traceback_is_kept():
    dumped = raised(ValueError(u"x"))
    back = load_error(dumped)
    assert back.remote_stack == dumped["stack"]
    assert isinstance(back.__cause__, errors.RemoteTraceback)
    assert str(back.__cause__) == dumped["stack"]
    if not six.PY2:
        printed = u"".join(traceback.format_exception(type(back), back, None))
        assert dumped["stack"] in printed
    again = sent(back)
    assert type(again) is ValueError and not isinstance(again.remote_stack, dict)


def test_built_in_modules_of_both_pythons_are_one():
    for module in ("exceptions", "builtins", "__builtin__"):
        python = {"module": module, "qualname": "KeyError", "args": [1], "attributes": {},
                  "builtins": []}
        assert type(load_error({"message": u"1", "python": python})) is KeyError


@pytest.mark.parametrize("names, wanted", [
    ([u"NoSuchFileError", u"OSError", u"Exception"], OSError),
    ([u"NoSuchFileError", u"AlsoUnknown", u"LookupError"], LookupError),
    ([u"NoSuchFileError", u"Exception", u"BaseException"], RemoteError),
    ([u"SystemExit", u"eval", u"object"], RemoteError),
])
def test_a_built_in_that_this_python_lacks_falls_back(names, wanted):
    python = {"module": "builtins", "qualname": "NoSuchFileError", "args": [2, u"gone"],
              "attributes": {}, "builtins": names}
    back = load_error({"name": u"NoSuchFileError", "message": u"gone", "python": python})
    assert isinstance(back, wanted) and outcome(back) == "failed"


def ours():
    return [
        exceptions.ConfigurationError(u"no such option"),
        exceptions.FrameTooLargeError(u"large", size=5, limit=4),
        TranscodeError(u"\u20ac", path=u"$.a"),
        exceptions.LeaderUnavailableError(u"none", holder_pid=7, address=u"127.0.0.1:7777"),
        exceptions.ChannelNotFoundError(u"none", channels=[u"a"], owner_pid=1),
        exceptions.SubscribeTimeoutError(u"late", registration={u"a": 1}, timeout=2.5),
        RemoteError(u"m", name=u"N", code=5, stack=u"s", extra=u"e"),
    ]


@both
@pytest.mark.parametrize("error", ours(), ids=lambda error: type(error).__name__)
def test_our_own_errors_keep_their_details(error, transcode):
    back = sent(error, transcode)
    assert type(back) is type(error) and six.text_type(back) == six.text_type(error)
    assert outcome(back) == "failed"
    for name in set(error.detail_names) | set(error._details):
        if name != "outcome":
            assert getattr(back, name) == getattr(error, name)
    copy = pickle.loads(pickle.dumps(back))
    assert type(copy) is type(back) and six.text_type(copy) == six.text_type(back)
    assert all(getattr(copy, name) == getattr(back, name) for name in back.detail_names)


def test_our_own_errors_may_say_what_became_of_the_call():
    for said in ("not_sent", "failed", "unknown"):
        back = sent(exceptions.ConnectionClosedError(u"x", outcome=said))
        assert outcome(back) == said
    assert outcome(sent(exceptions.ConnectionClosedError(u"x", outcome=u"elsewhere"))) == "failed"
    back = sent(Upstream(u"u"))
    assert type(back) is Upstream
    assert (back.upstream, back.timeout, back.method, back.outcome) == (u"u", 3, None, "unknown")


arguments = st.lists(st.none() | st.booleans() | st.integers(-2 ** 53, 2 ** 53) | st.text(
    st.characters(blacklist_categories=("Cs",))), max_size=3)


@relaxed
@hypothesis.given(arguments, st.sampled_from([ValueError, KeyError, RuntimeError, WithState]),
                  st.dictionaries(st.sampled_from(["host", "status", "data"]), arguments),
                  st.sampled_from([JSON, SERIALIZE_JSON]))
def test_errors_come_back_as_they_were(args, cls, attributes, transcode):
    error = cls(*args)
    for name, value in attributes.items():
        setattr(error, name, value)
    back = sent(error, transcode)
    assert type(back) is cls and back.args == error.args
    assert {name: getattr(back, name) for name in attributes} == attributes
