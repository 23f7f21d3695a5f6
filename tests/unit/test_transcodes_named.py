from __future__ import absolute_import, division, print_function

import subprocess
import sys
import types

import pytest
import six

from clusterclient_sync.exceptions import ConfigurationError, TranscodeError
from clusterclient_sync.protocol import transcodes
from support.processes import environment
from support.speed import needs_msgpack


class Upper(object):
    def encode(self, value):
        return value

    def decode(self, data):
        raise KeyError(data)


def test_builtin_transcodes_have_names():
    assert transcodes.BUILTIN_NAMES == ("json", "serialize-json")
    assert transcodes.named("json") is transcodes.named(u"json") is transcodes.JSON
    assert transcodes.named("serialize-json") is transcodes.SERIALIZE_JSON
    assert transcodes.named("plain-json") is transcodes.JSON
    for name in transcodes.BUILTIN_NAMES:
        assert transcodes.named(name).name == name
        assert transcodes.named(transcodes.named(name)) is transcodes.named(name)


def test_a_users_transcode_is_held_to_the_contract():
    upper = transcodes.named(Upper())
    assert upper.name == __name__ + ".Upper"
    assert upper.encode(b"x") == b"x"
    with pytest.raises(TranscodeError):
        upper.encode(u"x")
    with pytest.raises(TranscodeError) as caught:
        upper.decode(b"data")
    if not six.PY2:
        assert isinstance(caught.value.__cause__, KeyError)
    assert transcodes.named(upper) is upper


def test_a_users_transcode_may_name_itself():
    upper = Upper()
    upper.name = "upper/1"
    assert transcodes.named(upper).name == "upper/1"
    assert transcodes.named(Upper).name == __name__ + ".Upper"


def test_a_transcode_error_of_the_users_passes():
    error = TranscodeError("mine", path="$.a")

    class Picky(object):
        def encode(self, value):
            raise error

        decode = encode

    for call in (transcodes.named(Picky()).encode, transcodes.named(Picky()).decode):
        with pytest.raises(TranscodeError) as caught:
            call(b"")
        assert caught.value is error


@pytest.fixture
def library(monkeypatch):
    """``library(module or None)`` is what this process finds as ormsgpack from now on."""
    def find(module):
        monkeypatch.setitem(sys.modules, "ormsgpack", module)
        monkeypatch.setattr(transcodes, "_msgpack", [])

    return find


def names(option):
    return [one.name for one in transcodes.offered(option)]


@needs_msgpack
def test_msgpack_is_liked_best_where_it_is_installed():
    msgpack = transcodes.named("msgpack")
    assert msgpack is transcodes.named(u"msgpack") is transcodes.named(msgpack)
    for option in ("json", u"json", "msgpack", msgpack):
        assert names(option) == ["msgpack", "json", "serialize-json"]
        assert transcodes.offered(option)[0] is msgpack


@pytest.mark.parametrize("option, offered", [
    ("plain-json", ["json", "serialize-json"]),
    (transcodes.JSON, ["json", "serialize-json"]),
    ("serialize-json", ["serialize-json", "json"]),
    (Upper(), [__name__ + ".Upper", "json", "serialize-json"]),
])
def test_other_options_mean_what_they_say(option, offered):
    assert names(option) == offered


def test_a_users_transcode_may_replace_one_of_ours():
    upper = Upper()
    upper.name = "json"
    offered = transcodes.offered(upper)
    assert [one.name for one in offered] == ["json", "serialize-json"]
    assert offered[0] is not transcodes.JSON


def module(**members):
    made = types.ModuleType("ormsgpack")
    made.__dict__.update(members)
    return made


@pytest.mark.parametrize("found, said", [
    (None, "ormsgpack"),
    (module(__version__="1.9.0"), "ormsgpack 1.9.0 is too old, 1.13.1 is"),
    (module(__version__="1.13.0"), "1.13.0 is too old"),
    (module(), "too old"),
    (module(__version__="1.14.0rc1"), "packb"),
])
def test_without_the_library_json_is_json(library, found, said):
    library(found)
    assert names("json") == ["json", "serialize-json"]
    assert transcodes.offered("json")[0] is transcodes.JSON
    with pytest.raises(ConfigurationError) as caught:
        transcodes.named("msgpack")
    assert said in str(caught.value)
    assert "pip install clusterclient-sync[speed]" in str(caught.value)


def test_the_library_is_looked_for_once(library, monkeypatch):
    looks = []

    def look(self):
        looks.append(self)
        raise ImportError("not here")

    monkeypatch.setattr(transcodes.MsgpackTranscode, "__init__", look)
    library(None)
    for _ in range(3):
        assert names("json") == ["json", "serialize-json"]
    assert len(looks) == 1


def test_the_library_is_not_imported_before_a_client_is_made():
    code = ("import sys, clusterclient_sync as c; c.cluster(c.DataClientBase); "
            "sys.exit('ormsgpack' in sys.modules)")
    subprocess.check_call([sys.executable, "-c", code], env=environment(sys.executable, {}))


@pytest.mark.parametrize("what", ["pickle", b"\xff", None, 5, object(), {}])
def test_what_is_no_transcode_is_a_configuration_error(what):
    with pytest.raises(ConfigurationError) as caught:
        transcodes.named(what)
    assert "serialize-json" in str(caught.value)
