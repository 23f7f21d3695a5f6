# -*- coding: utf-8 -*-
from __future__ import absolute_import, division, print_function

import pickle
import socket
import sys
import traceback
import types

import hypothesis
import pytest
import six
from hypothesis import strategies as st

from clusterclient_sync import exceptions
from clusterclient_sync.exceptions import ClusterClientError, RemoteError, TranscodeError, outcome
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
    for error in (OSError(2, "gone"), OSError(2, "gone", "file"), IOError(13, "no", "file"),
                  GoneError("file"), socket.error(111, "refused")):
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


# --- what is a RemoteError ---------------------------------------------------------------------

@both
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()],
                         ids=lambda error: type(error).__name__)
def test_what_is_no_exception_is_a_remote_error(error, transcode):
    back = sent(error, transcode)
    assert type(back) is RemoteError and back.name == type(error).__name__
    assert back.code == (3 if isinstance(error, SystemExit) else None)
    assert outcome(back) == "failed" and back.stack


@pytest.fixture
def elsewhere(request):
    """A module with an exception class that the test can make unknown."""
    module = types.ModuleType("errors_elsewhere")
    module.Failure = type("Failure", (Exception,), {"__module__": module.__name__})
    sys.modules[module.__name__] = module
    request.addfinalizer(lambda: sys.modules.pop(module.__name__, None))
    return module


def test_a_class_that_is_not_imported_is_not_imported(elsewhere):
    error = elsewhere.Failure(u"x")
    error.code = u"E"
    dumped = raised(error)
    assert type(load_error(dumped)) is elsewhere.Failure
    del sys.modules[elsewhere.__name__]
    back = load_error(dumped)
    assert type(back) is RemoteError
    assert (back.name, back.message, back.code) == (u"Failure", u"x", u"E")
    assert back.stack == dumped["stack"] and u"raise error" in back.stack


def test_no_module_is_asked_for_what_it_has_not():
    class Lazy(types.ModuleType):
        def __getattr__(self, name):
            raise AssertionError("asked for " + name)

    sys.modules["errors_lazy"] = Lazy("errors_lazy")
    try:
        back = load_error({"name": u"X", "message": u"x", "python": {
            "module": "errors_lazy", "qualname": "X", "args": [], "attributes": {},
            "builtins": []}})
    finally:
        del sys.modules["errors_lazy"]
    assert type(back) is RemoteError


def test_a_local_class_and_one_that_hides_another_are_remote_errors():
    class TwoArguments(Exception):
        pass

    TwoArguments.__qualname__ = "TwoArguments"
    dumped = dump_error(TwoArguments(u"x"), encodable(JSON))
    assert "python" not in dumped
    assert type(load_error(dumped)) is RemoteError


@pytest.mark.skipif(not six.PY2, reason="Python 2 only")
def test_an_old_style_class():
    old_style = types.ClassType("Old", (), {"__str__": lambda self: "old"})
    dumped = dump_error(old_style(), encodable(JSON))
    back = load_error(dumped)
    assert type(back) is RemoteError and (back.name, back.message) == (u"Old", u"old")


def test_an_error_of_node():
    back = load_error({u"name": u"TypeError", u"message": u"boom", u"stack": u"at x.js",
                       u"code": u"E", u"status": 503, u"errno": -2, u"self": 1, u"outcome": u"x",
                       u"args": 5, u"__class__": 1, u"_details": 2, u"two words": 3})
    assert type(back) is RemoteError and str(back) == "TypeError: boom"
    assert (back.name, back.message, back.code, back.stack) == (
        u"TypeError", u"boom", u"E", u"at x.js")
    assert (back.status, back.errno, back.args) == (503, -2, (u"boom",))
    assert outcome(back) == "failed"
    assert pickle.loads(pickle.dumps(back)).status == 503


def test_an_error_that_was_decoded_already():
    error = SERIALIZE_JSON.decode(SERIALIZE_JSON.encode(ValueError(u"x")))
    assert load_error(error) is error and outcome(error) == "failed"


PYTHON = {"module": "builtins", "qualname": "ValueError", "args": [], "attributes": {},
          "builtins": []}


@pytest.mark.parametrize("change", [
    {"module": "os", "qualname": "system"}, {"module": "os", "qualname": "path.join"},
    {"module": None}, {"module": []}, {"module": {}}, {"module": "no.such"}, {"qualname": ""},
    {"qualname": "."}, {"qualname": "eval"}, {"qualname": "object"}, {"qualname": "ValueError.x"},
    {"qualname": "ValueError.__class__"}, {"qualname": "SystemExit"}, {"qualname": 5},
    {"qualname": "BaseException"}, {"args": None}, {"args": u"ab"}, {"args": {}},
    {"attributes": None}, {"attributes": []}, {"attributes": {5: 1}},
    {"qualname": "UnicodeDecodeError", "args": [1, 2]}, {"qualname": "UnicodeDecodeError"},
    {"qualname": "nothing", "builtins": 5}, {"qualname": "nothing", "builtins": [[]]},
    {"module": "clusterclient_sync.exceptions", "qualname": "RemoteError",
     "attributes": {"name": 5}},
    {"module": "clusterclient_sync.exceptions", "qualname": "TranscodeError",
     "attributes": {"message": []}},
])
def test_a_hostile_dict_is_a_remote_error(change):
    python = dict(PYTHON, **change)
    back = load_error({"name": u"N", "message": u"m", "python": python})
    assert type(back) is RemoteError and outcome(back) == "failed"
    assert (back.name, back.message) == (u"N", u"m") and str(back) == "N: m"


def test_hostile_attributes_do_not_harm_a_rebuilt_error():
    python = dict(PYTHON, module="clusterclient_sync.exceptions", qualname="TranscodeError",
                  args=[u"m"], attributes={
                      "message": u"m", "detail_names": 5, "__class__": 1, "__dict__": {},
                      "__reduce__": 1, "_details": 5, "outcome": [], "with_traceback": 1,
                      "__cause__": 1, "_clusterclient_outcome": u"not_sent"})
    back = load_error({"name": u"N", "message": u"m", "stack": u"s", "python": python})
    assert type(back) is TranscodeError and outcome(back) == "failed" and str(back) == "m"
    assert type(pickle.loads(pickle.dumps(back))) is TranscodeError
    back = load_error({"message": u"m", "python": dict(PYTHON, attributes={
        "_clusterclient_outcome": u"not_sent"})})
    assert type(back) is ValueError and outcome(back) == "failed"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10)
class_names = st.sampled_from([
    u"ValueError", u"OSError", u"UnicodeDecodeError", u"SystemExit", u"ExceptionGroup",
    u"SyntaxError", u"ImportError", u"StopIteration", u"RemoteError", u"TwoArguments", u"eval"])
hostile = st.fixed_dictionaries({
    u"name": json_values, u"message": json_values, u"stack": json_values, u"code": json_values,
    u"python": json_values | st.fixed_dictionaries({
        u"module": st.sampled_from([u"builtins", u"clusterclient_sync.exceptions", __name__,
                                    u"os"]) | json_values,
        u"qualname": class_names | json_values,
        u"args": st.lists(json_values, max_size=5) | json_values,
        u"attributes": st.dictionaries(
            st.sampled_from([u"message", u"outcome", u"name", u"args", u"__dict__"]) | st.text(),
            json_values, max_size=4) | json_values,
        u"builtins": st.lists(class_names) | json_values})})


@relaxed
@hypothesis.given(hostile | st.dictionaries(st.text(), json_values) | json_values)
def test_load_error_never_raises(dumped):
    error = load_error(dumped)
    assert isinstance(error, Exception)
    assert outcome(error) in ("failed", "not_sent", "unknown")
    if not isinstance(error, ClusterClientError):
        assert outcome(error) == "failed"
    six.text_type(error.message) if isinstance(error, ClusterClientError) else None


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
