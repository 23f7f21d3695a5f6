"""What bad peers send to a live leader: it ends their own connection, with a line in the log.

A healthy follower calls all the time, and none of its calls fails.
"""

from __future__ import absolute_import, division, print_function

import json
import struct

import pytest

from support import raw_peer
from support.journal import Journal
from support.members import Members, until
from support.ports import free_port
from support.processes import Processes

LARGEST = 2 ** 20
HANDSHAKE_TIMEOUT = 0.5


class Site(object):
    """A leader and a healthy follower; ``log()`` is what the leader has logged in this test."""

    def __init__(self, members):
        self.port = members.port
        self.leader, self.healthy = members.join_all(
            2, max_frame_size=LARGEST, handshake_timeout=HANDSHAKE_TIMEOUT)
        self.leader.do("subscribe", client="main", registration={"dataId": "k"})
        self._seen = 0

    def begin(self):
        self._seen = len(self.leader.log())
        self.healthy.do("hammer", client="main")

    def finish(self):
        self.healthy.do("progress", client="main", calls=20)
        assert self.healthy.do("stop_hammer", client="main")["failures"] == []
        assert self.leader.do("is_leader", client="main") is True

    def log(self):
        return self.leader.log()[self._seen:]

    def wait_for_log(self, text):
        until(lambda: text in self.log(), "%r in the log, which has: %s" % (text, self.log()))


@pytest.fixture(scope="module")
def lasting_site(no_leaks_of_the_session, tmpdir_factory):
    journal = Journal(str(tmpdir_factory.mktemp("bad").join("journal")))
    processes = Processes()
    yield Site(Members(processes, free_port(), journal))
    processes.end_all()


@pytest.fixture
def site(lasting_site):
    lasting_site.begin()
    yield lasting_site
    lasting_site.finish()


OVERSIZE = raw_peer.frame(0, 9, b"{}", body_size=LARGEST + 1)
BAD_BYTES = {
    "garbage": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "not a cluster client"),
    "zeros": (b"\0" * 64, "not the protocol's version"),
    "version": (raw_peer.frame(0, 9, b"{}", version=2), "not the protocol's version"),
    "kind": (raw_peer.frame(7, 9, b"{}"), "neither request nor response"),
    "negative head": (raw_peer.frame(0, 9, b"{}", head_size=-1), "negative length"),
    "negative body": (raw_peer.frame(0, 9, b"{}", body_size=-2 ** 31), "negative length"),
    "two gibibytes": (raw_peer.frame(0, 9, b"{}", body_size=2 ** 31 - 1), "bytes was announced"),
    "oversize": (OVERSIZE, "%d bytes was announced" % (LARGEST + 3)),
    "not json": (raw_peer.frame(0, 9, b'{"type":'), "not JSON"),
    "not utf-8": (raw_peer.frame(0, 9, b'{"type":"\xff"}'), "not JSON"),
    "array": (raw_peer.frame(0, 9, b'["type"]'), "not a JSON object"),
    "text": (raw_peer.frame(0, 9, b'"heartbeat"'), "not a JSON object"),
    "null": (raw_peer.frame(0, 9, b"null"), "not a JSON object"),
    "no bodies": (raw_peer.frame(0, 9, b""), "not JSON"),
    "nested": (raw_peer.frame(0, 9, b"[" * 60000), "not JSON"),
}


@pytest.mark.parametrize("is_registered", [False, True], ids=["newcomer", "registered"])
@pytest.mark.parametrize("name", sorted(BAD_BYTES))
def test_what_is_not_the_protocol_ends_its_connection(site, closing, name, is_registered):
    data, line = BAD_BYTES[name]
    connection = closing((raw_peer.follow if is_registered else raw_peer.connect)(site.port))
    connection.send(data)
    connection.wait_for_end()
    site.wait_for_log(line)


@pytest.mark.parametrize("is_registered", [False, True], ids=["newcomer", "registered"])
@pytest.mark.parametrize("size", [1, 23, 24, 40])
def test_half_a_frame(site, closing, size, is_registered):
    connection = closing((raw_peer.follow if is_registered else raw_peer.connect)(site.port))
    connection.send(raw_peer.frame(0, 9, {"type": "invoke", "method": "echo"})[:size])
    connection.close()
    site.wait_for_log("in the middle of ")


def test_a_first_frame_of_more_than_64_kib(site, closing):
    connection = closing(raw_peer.connect(site.port))
    connection.send(raw_peer.frame(0, 1, {"type": "register_channel"}, body_size=64 * 1024))
    connection.wait_for_end()
    site.wait_for_log("did not begin with a registration")


def test_a_frame_of_more_than_64_kib_after_the_registration(site, closing):
    connection = closing(raw_peer.follow(site.port))
    text = "x" * (LARGEST - 300)
    answer = connection.expect(response_to=raw_peer.invoke(connection, "echo", text))
    assert json.loads(answer.body.decode("ascii")) == text


def test_a_result_that_is_larger_than_a_node_peer_s_own_calls_is_sent(site, closing):
    connection = closing(raw_peer.follow(site.port, hello=raw_peer.hello(max_frame_size=1000)))
    answer = connection.expect(response_to=raw_peer.invoke(connection, "echo", "x" * 2000))
    assert answer.head["success"] is False
    assert json.loads(answer.body.decode("ascii"))["name"] == "FrameTooLargeError"
    answer = connection.expect(response_to=raw_peer.invoke(connection, "echo", 1))
    assert answer.body == b"1"


def test_a_connection_that_never_registers(site, closing):
    connection = closing(raw_peer.connect(site.port))
    assert connection.wait_for_end() == []
    site.wait_for_log("did not register in time")


def test_a_connection_that_says_everything_but_its_channel(site, closing):
    connection = closing(raw_peer.connect(site.port))
    for head in ({"type": "invoke", "method": "echo", "argLength": 0}, {}, {"type": 1},
                 {"type": "register_channel"}, {"type": "register_channel", "channelName": {}}):
        connection.request(head)
    connection.request({"type": "heartbeat"})
    connection.wait_for_end()
    site.wait_for_log("did not register in time")


def test_a_connection_that_sends_nothing_and_ends_is_not_logged(site, closing):
    for _ in range(3):
        connection = closing(raw_peer.connect(site.port))
        connection.close()
    # Whatever it would say about those it has said when this one is done with.
    connection = closing(raw_peer.connect(site.port))
    connection.send(BAD_BYTES["version"][0])
    connection.wait_for_end()
    site.wait_for_log(BAD_BYTES["version"][1])
    assert len(site.log().splitlines()) == 1, site.log()


BAD_HELLOS = [
    "text", [], {"transcodes": 7}, {"transcodes": []}, {"transcodes": [["json"], {}]},
    {"transcodes": ["json"], "can": [[], {}, 1, "goodbye"], "pid": "x", "epoch": "y"},
    {"transcodes": ["json"], "epoch": -5, "max_frame_size": -1, "heartbeat_interval": 0},
    {"transcodes": ["json"], "epoch": 2 ** 70, "pid": 2 ** 70, "failed_attempt": {}},
    {"transcodes": ["json"], "epoch": 1e300, "max_frame_size": True},
    {"transcodes": ["json"], "fingerprint": {"a": []}},
]


@pytest.mark.parametrize("hello", BAD_HELLOS)
def test_a_malformed_hello(site, closing, hello):
    connection = closing(raw_peer.connect(site.port))
    raw_peer.register(connection, hello=hello)
    answered = connection.read()
    assert answered is None or b'"success":true' in answered.body
    if answered is None:
        assert site.log()


def test_an_unknown_type_is_answered_and_the_connection_stays(site, closing):
    connection = closing(raw_peer.follow(site.port, hello=raw_peer.hello()))
    for type in ("dance", "goodbye", 7, None, ["invoke"], {"a": 1}):
        answer = connection.expect(response_to=connection.request({"type": type}))
        assert answer.head == {"type": "error", "success": False}
        assert json.loads(answer.body.decode("ascii"))["name"] == "ProtocolError"
    site.wait_for_log("unknown type 'dance'" if str is not bytes else "unknown type u'dance'")
    answer = connection.expect(response_to=raw_peer.invoke(connection, "echo", 1))
    assert answer.body == b"1"


UNDELEGATED = ["close", "subscribe", "unsubscribe", "__init__", "__class__", "_note", "init", "on",
               "emit", "ready", "config", "absent", "", None, 7, [], {}, "close\0", u"\u00e9"]


def test_only_delegated_methods_can_be_called(site, closing):
    connection = closing(raw_peer.follow(site.port))
    for oneway in (False, True):
        for method in UNDELEGATED:
            number = raw_peer.invoke(connection, method, {"dataId": "k"}, oneway=oneway)
            if not oneway:
                answer = connection.expect(response_to=number)
                assert answer.head["type"] == "invoke_result"
                assert answer.head["success"] is False
    assert connection.expect(response_to=raw_peer.invoke(connection, "echo", 1)).body == b"1"
    assert site.leader.do("is_leader", client="main") is True


BAD_ARGUMENTS = {
    "fewer than announced": (3, raw_peer.arguments(b"1")),
    "more than announced": (0, raw_peer.arguments(b"1")),
    "longer than the frame": (1, struct.pack(">I", 2 ** 31) + b"1"),
    "cut": (1, b"\0\0"),
    "many": (2 ** 40, b""),
    "negative": (-1, raw_peer.arguments(b"1")),
    "no number": ("1", raw_peer.arguments(b"1")),
    "no count": (None, raw_peer.arguments(b"1")),
    "not of a transcode": (1, raw_peer.arguments(b"\xff\xfe^")),
    "unknown tag": (1, raw_peer.arguments(b'{"$type":"os.system","value":"x"}')),
    "nested": (1, raw_peer.arguments(b"[" * 50000)),
}


@pytest.mark.parametrize("hello", [None, raw_peer.hello()], ids=["node", "python"])
@pytest.mark.parametrize("name", sorted(BAD_ARGUMENTS))
def test_arguments_that_cannot_be_read_fail_their_call(site, closing, name, hello):
    count, body = BAD_ARGUMENTS[name]
    connection = closing(raw_peer.follow(site.port, hello=hello))
    number = connection.request({"type": "invoke", "method": "echo", "argLength": count}, body)
    answer = connection.expect(response_to=number)
    assert (answer.head["type"], answer.head["success"]) == ("invoke_result", False)
    answer = connection.expect(response_to=raw_peer.invoke(connection, "echo", 1))
    # What a Node peer sends first tells its transcode, also where it is rubbish.
    assert answer.head["success"] is True or hello is None
    assert "Traceback" not in site.log()


@pytest.mark.parametrize("head", [
    {"type": "subscribe"}, {"type": "subscribe", "key": [], "reg": {}},
    {"type": "subscribe", "key": {"a": 1}, "reg": {"dataId": "k"}},
    {"type": "subscribe", "key": "x", "reg": {"dataId": [[[2 ** 70, 1e400]]]}},
    {"type": "subscribe", "key": 7, "reg": "k"}, {"type": "unSubscribe"},
    {"type": "unSubscribe", "key": {}, "reg": {"dataId": "k"}},
    {"type": "unSubscribe", "key": "x", "reg": {"dataId": "k"}},
], ids=json.dumps)
def test_odd_subscriptions(site, closing, head):
    connection = closing(raw_peer.follow(site.port))
    connection.request(head)
    number = raw_peer.invoke(connection, "echo", 1)
    answers = [found for found in iter_until(connection, number)]
    assert answers[-1] is None or answers[-1].body == b"1"
    site.leader.call("push", "k", head)
    site.leader.value_like(head)
    assert "Traceback" not in site.log()


def iter_until(connection, number):
    while True:
        found = connection.read()
        yield found
        if found is None or (found.is_response and found.number == number):
            return
