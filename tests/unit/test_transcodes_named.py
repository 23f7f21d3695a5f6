from __future__ import absolute_import, division, print_function

import pytest
import six

from clusterclient_sync.exceptions import ConfigurationError, TranscodeError
from clusterclient_sync.protocol import transcodes


class Upper(object):
    def encode(self, value):
        return value

    def decode(self, data):
        raise KeyError(data)


def test_builtin_transcodes_have_names():
    assert transcodes.BUILTIN_NAMES == ("json", "serialize-json")
    assert transcodes.named("json") is transcodes.named(u"json") is transcodes.JSON
    assert transcodes.named("serialize-json") is transcodes.SERIALIZE_JSON
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


@pytest.mark.parametrize("what", ["pickle", b"\xff", None, 5, object(), {}])
def test_what_is_no_transcode_is_a_configuration_error(what):
    with pytest.raises(ConfigurationError) as caught:
        transcodes.named(what)
    assert "serialize-json" in str(caught.value)
