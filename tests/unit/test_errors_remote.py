"""What arrives as a RemoteError: what cannot be rebuilt, Node's errors, hostile dicts."""

from __future__ import absolute_import, division, print_function

import pickle
import sys
import types

import hypothesis
import pytest
import six
from hypothesis import strategies as st

from clusterclient_sync.exceptions import ClusterClientError, RemoteError, TranscodeError, outcome
from clusterclient_sync.protocol.errors import dump_error, load_error
from clusterclient_sync.protocol.transcodes import JSON, SERIALIZE_JSON

relaxed = hypothesis.settings(deadline=None, derandomize=True)


class TwoArguments(Exception):
    def __init__(self, host, reason):
        super(TwoArguments, self).__init__(host)
        self.reason = reason


def takes_all(value):
    return True


def raised(error):
    """The error as it is dumped while it is handled."""
    try:
        raise error
    except BaseException as caught:
        return dump_error(caught, takes_all)


def sent(error, transcode):
    """The error as its caller gets it."""
    return load_error(transcode.decode(transcode.encode(dump_error(error, takes_all))))


both = pytest.mark.parametrize("transcode", [JSON, SERIALIZE_JSON], ids=lambda one: one.name)


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
    dumped = dump_error(TwoArguments(u"x"), takes_all)
    assert "python" not in dumped
    assert type(load_error(dumped)) is RemoteError


@pytest.mark.skipif(not six.PY2, reason="Python 2 only")
def test_an_old_style_class():
    old_style = types.ClassType("Old", (), {"__str__": lambda self: "old"})
    dumped = dump_error(old_style(), takes_all)
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
    else:
        assert isinstance(six.text_type(error), six.text_type)
        assert isinstance(pickle.loads(pickle.dumps(error, 2)), type(error))
