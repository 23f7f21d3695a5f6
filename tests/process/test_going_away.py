"""A leader closes or resigns while others call: nobody's call fails, and one real client at a time.
"""

from __future__ import absolute_import, division, print_function

import pytest

from support import raw_peer
from support.members import Failed, leader_of, until
from support.ports import free_port


def leave(member, how):
    return member.begin(how, client="main")


@pytest.mark.parametrize("how", ["close", "resign"])
def test_no_call_of_another_process_fails(members, journal, how):
    leader, one, two = everybody = members.join_all(3)
    calling = [one, two] if how == "close" else everybody
    for member in calling:
        member.do("hammer", client="main", greenlets=5)
    leave(leader, how).get()
    successor = leader_of([one, two])
    for member in calling:
        member.do("progress", client="main", calls=100)
        assert member.do("stop_hammer", client="main")["failures"] == []
        assert member.call("whoami") == successor.pid
    lives = journal.assert_one_at_a_time()
    assert [life[0] for life in lives] == [leader.pid, successor.pid]
    assert len(journal.lines("closing")) == 1


@pytest.mark.limit(120)
def test_real_clients_never_overlap_however_often_leadership_moves(members, journal):
    everybody = members.join_all(3)
    for member in everybody:
        member.do("hammer", client="main", greenlets=3)
    for _ in range(30):
        leader = leader_of(everybody)
        leave(leader, "resign").get()
        until(lambda: not leader.do("is_leader", client="main"), "it leads no more")
        leader_of(everybody)
    for member in everybody:
        member.do("progress", client="main", calls=20)
        assert member.do("stop_hammer", client="main")["failures"] == []
    lives = journal.assert_one_at_a_time()
    assert len(lives) >= 31
    assert len(journal.lines("closing")) == len(journal.lines("closed")) == len(lives) - 1


@pytest.mark.parametrize("how", ["close", "resign"])
def test_what_is_in_hand_is_finished_and_new_calls_wait_for_the_next_leader(members, journal, how):
    leader, one, two = members.join_all(3)
    held = [member.begin("call", client="main", name="hold", args=["gate"], timeout=30)
            for member in (one, two)]
    until(lambda: leader.do("held", gate="gate") == 2, "both calls are in work")
    leaving = leave(leader, how)
    for member in (one, two):
        until(lambda: member.do("is_leader", client="main") is None, "the goodbye came")
    late = [member.begin("call", client="main", name="whoami", timeout=30)
            for member in (one, two)]
    assert journal.lines("closing") == []
    leader.do("open_gate", gate="gate")
    leaving.get()
    assert [call.get() for call in held] == [leader.pid, leader.pid]
    successor = leader_of([one, two])
    assert [call.get() for call in late] == [successor.pid, successor.pid]
    order = [line["what"] for line in journal.lines()]
    assert order == ["made", "let go", "let go", "closing", "closed", "made"]
    journal.assert_one_at_a_time()


def test_who_registers_while_the_leader_leaves_does_not_hold_it_up(members, port, closing):
    leader = members.join(drain_timeout=60)
    held = closing(raw_peer.follow(port))
    raw_peer.invoke(held, "hold", "gate", timeout_ms=30000)
    until(lambda: leader.do("held", gate="gate") == 1, "the call is in work")
    leaving = leave(leader, "close")
    late = closing(raw_peer.connect(port))
    raw_peer.register(late, hello=raw_peer.hello(can=["goodbye"]))
    # Neither answered nor refused: the closed connection will be the answer.
    beat = late.request({"type": "heartbeat"})
    assert late.read().number == beat
    leader.do("open_gate", gate="gate")
    leaving.get()
    assert late.wait_for_end() == []


def test_a_goodbye_right_behind_the_answer_to_the_registration(members, raw_server):
    member = members.start()
    members.create(member, is_leader=False)
    call = member.begin("call", client="main", name="echo", args=[1], timeout=20)
    hello = dict(raw_peer.hello(), transcode="json", can=["goodbye"])
    answer = {"type": "register_channel_res", "clusterclient_sync": hello}
    connection = raw_server.accept()
    request = connection.expect("register_channel")
    connection.send(raw_peer.frame(1, request.number, answer, b'{"success":true}')
                    + raw_peer.frame(0, 1, {"type": "goodbye"}))
    assert connection.expect(response_to=1).head == {"type": "goodbye_res"}
    # It waits for the next leader, and does not come back to this one meanwhile.
    assert member.do("is_leader", client="main") is None
    connection.close()
    connection = raw_server.accept()
    connection.respond(connection.expect("register_channel"), answer, b'{"success":true}')
    connection.respond(connection.expect("invoke"), {"type": "invoke_result", "success": True},
                       b"2")
    assert call.get() == 2


def test_draining_is_bounded(members, journal):
    leader = members.join(drain_timeout=0.3)
    one = members.join()
    held = one.begin("call", client="main", name="hold", args=["gate"], timeout=30)
    until(lambda: leader.do("held", gate="gate") == 1, "the call is in work")
    leader.do("close", client="main")
    with pytest.raises(Failed) as caught:
        held.get()
    assert (caught.value.type, caught.value.outcome) == ("ConnectionClosedError", "unknown")
    assert leader_of([one]) is one
    journal.assert_one_at_a_time()


def test_who_resigns_follows_the_next_leader(members, journal):
    leader, one = members.join_all(2)
    epoch = leader.leadership()[1]
    leader.do("resign", client="main")
    assert leader.leadership() == ("follower", one.do("epoch", client="main"), one.pid)
    assert one.leadership()[:1] + one.leadership()[2:] == ("follower", one.pid)
    assert one.do("epoch", client="main") > epoch
    assert leader.call("whoami") == one.pid
    journal.assert_one_at_a_time()


def test_a_slow_close_does_not_use_up_the_time_that_others_have(members, journal):
    config = {"close_gate": "gate"}
    leader, one = members.join_all(2, config=config)
    resigning = leave(leader, "resign")
    until(lambda: journal.lines("closing"), "the real client is being closed")
    # Longer than the 200 ms that are left to others: a second resignation would not wait so long.
    lonely = members.start()
    members.create(lonely, name="lonely", port=free_port())
    lonely.do("ready", client="main")
    lonely.do("resign", client="main")
    until(lambda: len(journal.lines("made", lonely.pid)) == 2, "it leads again")
    assert journal.lines("closed", leader.pid) == []
    leader.do("open_gate", gate="gate")
    resigning.get()
    assert leader_of([leader, one]) is one


def test_who_resigns_leads_again_when_nobody_else_does(members, journal):
    alone = members.join()
    first = alone.leadership()
    alone.do("resign", client="main")
    second = alone.leadership()
    assert second[0] == "leader" and second[1] > first[1]
    before, after = journal.assert_one_at_a_time()
    assert 0.19 <= after[1] - before[2] < 1.5
    assert alone.call("whoami") == alone.pid


def test_a_call_of_who_resigns_waits_for_the_next_leader(members, journal):
    leader, one = members.join(), members.join(config={})
    call = leader.begin("call", client="main", name="hold", args=["gate"], timeout=30)
    until(lambda: leader.do("held", gate="gate") == 1, "the call is in work")
    resigning = leave(leader, "resign")
    until(lambda: one.do("is_leader", client="main") is None, "the goodbye came")
    late = leader.begin("call", client="main", name="whoami", timeout=30)
    leader.do("open_gate", gate="gate")
    resigning.get()
    assert call.get() == leader.pid
    assert late.get() == one.pid


def test_close_twice_and_after_a_resignation_closes_the_real_client_once(members, journal):
    leader = members.join()
    leaving = [leave(leader, how) for how in ("resign", "close", "close")]
    for each in leaving:
        each.get()
    leader.do("close", client="main")
    assert len(journal.lines("closed")) == len(journal.lines("made")) >= 1
    with pytest.raises(Failed) as caught:
        leader.call("whoami")
    assert (caught.value.type, caught.value.outcome) == ("ClientClosedError", "not_sent")


def test_a_follower_that_closes_disturbs_nobody(members, journal):
    leader, one, two = members.join_all(3)
    one.do("subscribe", client="main", registration={"dataId": "k"})
    one.value()
    two.do("hammer", client="main")
    one.do("close", client="main")
    until(lambda: journal.lines("unsubscribed"), "its subscription ends at the real client")
    two.do("progress", client="main", calls=20)
    assert two.do("stop_hammer", client="main")["failures"] == []
    assert [life[0] for life in journal.lives()] == [leader.pid]
    assert journal.lines("closing") == []


# -- standing back

def test_who_stands_back_hands_over_and_does_not_lead_while_another_can(members, journal):
    leader, one, two = everybody = members.join_all(3)
    for member in everybody:
        member.do("hammer", client="main", greenlets=3)
    for member in (leader, one):
        member.do("stand_back", client="main")
    assert leader_of([two]) is two
    for member in everybody:
        assert member.do("stop_hammer", client="main")["failures"] == []
    late = members.join()
    two.child.kill()
    assert leader_of([late]) is late
    # Nobody is left who would rather lead.
    late.child.kill()
    assert leader_of([leader, one]) in (leader, one)
    assert [life[0] for life in journal.lives()][:3] == [leader.pid, two.pid, late.pid]


def test_where_all_stand_back_one_leads_all_the_same(members, journal):
    everybody = members.join_all(3)
    for member in everybody:
        member.do("stand_back", client="main")
    successor = leader_of(everybody)
    for member in everybody:
        assert member.call("whoami") == successor.pid
    journal.assert_one_at_a_time()
