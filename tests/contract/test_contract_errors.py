"""What the real client raises reaches the caller, the same on every kind of client."""

from __future__ import absolute_import, division, print_function

import errno
import pickle

import gevent
import pytest
import six

from clusterclient_sync import (
    ClientClosedError, ClusterClientError, ConfigurationError, RemoteError, ResponseTimeoutError,
    TranscodeError, outcome)
from support import sample_errors
from support.sample_values import alike
from support.subjects import kinds

REBUILT = {
    "value": (ValueError, [u"bad value"]),
    "key": (KeyError, [u"missing"]),
    "no_message": (RuntimeError, []),
    "tuple": (ValueError, [[1, [2, 3]], {u"a": [4]}]),
    "unicode": (ValueError, [u"\u00e9\u20ac"]),
    "quota": (sample_errors.QuotaError, [u"ann has used up 7"]),
}
AS_REMOTE_ERROR = {
    "local": ("LocalError", u"only here"),
    "unencodable": ("ValueError", None),
    "exit": ("SystemExit", u"3"),
    "special_exit": ("SpecialExit", u"special"),
    "greenlet_exit": ("GreenletExit", u"killed"),
    "timeout": ("Timeout", None),
}


def raised(client, name):
    """What the caller of ``fail(name)`` gets."""
    with pytest.raises(Exception) as caught:
        client.fail(name)
    return caught.value


@pytest.mark.parametrize("name", sorted(REBUILT))
def test_an_exception_arrives_as_its_own_class(client, name):
    error = raised(client, name)
    kind, args = REBUILT[name]
    assert type(error) is kind
    assert alike(list(error.args), args)
    assert outcome(error) == "failed"


def test_attributes_arrive_as_values_do(client):
    error = raised(client, "quota")
    assert (error.user, error.limit) == (u"ann", 7)
    assert alike(error.history, [1, 2])
    assert not hasattr(error, "lock")


def test_an_os_error_keeps_its_errno_and_file(client):
    error = raised(client, "os")
    assert isinstance(error, OSError)
    assert (error.errno, error.strerror, error.filename) == (
        errno.ENOENT, "no such file", "/a/file")


def test_a_unicode_error_arrives(client):
    error = raised(client, "decode")
    assert type(error) is UnicodeDecodeError
    assert error.encoding in ("utf-8", "utf8")
    assert (error.object, error.start, error.end) == (b"\xff", 0, 1)


def test_the_caller_owns_its_exception(client):
    raised(client, "mutable").args[0].append(3)
    assert raised(client, "mutable").args == ([1, 2],)


def test_a_constructor_does_not_run_again(subject):
    before = sample_errors.CountedError.made
    error = raised(subject.client, "counted")
    assert isinstance(error, sample_errors.CountedError)
    # Once where it was raised: in this process, or in another.
    assert sample_errors.CountedError.made - before == (subject.kind != "follower")


@pytest.mark.parametrize("name", sorted(AS_REMOTE_ERROR))
def test_what_cannot_be_rebuilt_arrives_as_a_remote_error(client, name):
    error = raised(client, name)
    kind, message = AS_REMOTE_ERROR[name]
    assert type(error) is RemoteError
    assert error.name == kind
    assert message is None or error.message == message
    assert outcome(error) == error.outcome == "failed"
    assert "in throw" in error.stack
    assert client.same(1) == 1  # the real client and its process live on


def test_a_remote_error_has_the_code_of_the_original(client):
    assert raised(client, "local").code == "E_LOCAL"


@kinds("follower")
def test_a_class_that_is_not_imported_here_arrives_as_a_remote_error(client):
    error = raised(client, "elsewhere")
    assert type(error) is RemoteError
    assert (error.name, error.message, error.code) == ("ElsewhereError", "not here", 5)


def test_the_traceback_of_the_real_client_is_kept(client):
    error = raised(client, "value")
    assert "in throw" in error.remote_stack
    if six.PY3:
        assert "in throw" in str(error.__cause__)


def test_errors_survive_pickle_where_their_classes_do(client):
    # Not QuotaError: its constructor, which pickle runs, takes other arguments than it keeps.
    for name in (set(REBUILT) | set(AS_REMOTE_ERROR)) - set(["quota"]):
        error = raised(client, name)
        again = pickle.loads(pickle.dumps(error, 2))
        assert type(again) is type(error)
        assert alike(list(again.args), list(error.args))
        assert outcome(again) == "failed"


def test_our_own_errors_survive_pickle(subject):
    client = subject.client
    found = []
    for call in (lambda: client.same(object()), lambda: client.unencodable(),
                 lambda: client.call("wait", ("never",), timeout=0.05),
                 lambda: client.call("no_such_method"), lambda: client.fail("local")):
        with pytest.raises(ClusterClientError) as caught:
            call()
        found.append(caught.value)
    subject.upstream.open("never")
    client.close()
    with pytest.raises(ClusterClientError) as caught:
        client.same(1)
    found.append(caught.value)
    assert [type(error) for error in found] == [
        TranscodeError, TranscodeError, ResponseTimeoutError, ConfigurationError, RemoteError,
        ClientClosedError]
    for error in found:
        again = pickle.loads(pickle.dumps(error, 2))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.details() == error.details()


def test_each_caller_gets_an_exception_of_its_own(client):
    def fail():
        return raised(client, "value")

    errors = [greenlet.get() for greenlet in [gevent.spawn(fail) for _ in range(5)]]
    assert len(set(id(error) for error in errors)) == 5


def test_a_method_that_is_not_delegated_is_not_there(client):
    for name in ("no_such_method", "_state", "record"):
        assert not hasattr(client, name)
        with pytest.raises(ConfigurationError) as caught:
            client.call(name)
        assert name in str(caught.value)
    for name in ("close", "subscribe", "unsubscribe", "ready", "__init__"):
        with pytest.raises(ConfigurationError):
            client.call(name)
    assert client.same(1) == 1


@kinds("follower")
def test_the_leader_makes_only_calls_that_it_delegates_itself(make):
    subject = make(ready=False, delegates=(("same", "invoke", {}),),
                   auto_generate=False, own={"auto_generate": True})
    subject.get_ready()
    assert subject.client.same(1) == 1
    with pytest.raises(RemoteError) as caught:
        subject.client.big(3)
    assert "big" in str(caught.value)
    assert outcome(caught.value) == "failed"
    assert subject.client.same(2) == 2
