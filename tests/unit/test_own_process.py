"""A process knows itself, and no child takes itself for its parent."""

from __future__ import absolute_import, division, print_function

import os
import sys
import threading

import pytest

from clusterclient_sync import own_process


def in_child(function):
    """What a function gives in a forked child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writing, repr(function()).encode("ascii"))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as source:
        told = source.read()
    os.waitpid(pid, 0)
    return eval(told.decode("ascii"))


@pytest.fixture(params=["page", "pid"])
def kind(request, monkeypatch):
    """Both ways to know it."""
    monkeypatch.setattr(own_process, "_last", (0, 0))
    if request.param == "pid":
        monkeypatch.setattr(own_process, "here", own_process._Pid())
    elif isinstance(own_process.here, own_process._Pid):
        pytest.skip("there is no page that forks empty")
    else:
        monkeypatch.setattr(own_process, "here", own_process._make_page())
    return request.param


def test_a_process_is_at_home_and_its_child_is_not(kind):
    mark = own_process.mark()
    assert own_process.mark() == mark == own_process.here[0]
    assert in_child(lambda: own_process.here[0] == mark) is False
    assert own_process.here[0] == mark


def test_a_child_and_its_child_have_marks_of_their_own(kind):
    parents = own_process.mark()

    def family():
        mine = own_process.mark()
        return [mine, own_process.here[0], in_child(lambda: [own_process.here[0],
                                                             own_process.mark()])]

    mine, here, (at_first, grandchilds) = in_child(family)
    assert mine == here
    assert len({parents, mine, grandchilds}) == 3
    assert at_first not in (parents, mine)
    assert own_process.mark() == parents


def test_threads_that_come_at_once_agree(kind):
    barrier, marks = threading.Event(), []

    def come():
        barrier.wait(10)
        marks.append(own_process.mark())

    threads = [threading.Thread(target=come) for _ in range(20)]
    for thread in threads:
        thread.start()
    barrier.set()
    for thread in threads:
        thread.join(10)
    assert len(marks) == 20 and len(set(marks)) == 1


def test_where_the_system_has_no_such_page_the_pid_is_asked_for(monkeypatch):
    monkeypatch.setattr(own_process, "_WIPE_ON_FORK", None)
    assert own_process._make_page()[0] == os.getpid()
    monkeypatch.setattr(own_process, "_WIPE_ON_FORK", 12345)
    if sys.version_info >= (3, 8):  # there a mapping takes advice
        assert own_process._make_page()[0] == os.getpid()


class Process(object):
    """Stands for the module ``os`` in another process."""

    def __init__(self, pid):
        self.getpid = lambda: pid


def test_no_generation_has_the_mark_of_an_earlier_one(monkeypatch):
    monkeypatch.setattr(own_process, "_last", (0, 0))
    monkeypatch.setattr(own_process, "here", [0])
    monkeypatch.setattr(own_process, "_is_hooked", True)
    marks = []
    for pid in range(1000, 3000):
        own_process.here[0] = 0
        monkeypatch.setattr(own_process, "os", Process(pid))
        marks.append(own_process.mark())
    assert len(set(marks)) == len(marks)


def test_where_the_kernel_only_says_that_it_empties_the_page_a_hook_does(monkeypatch):
    hooks = []
    monkeypatch.setattr(own_process, "_last", (0, 0))
    monkeypatch.setattr(own_process, "here", [0])
    monkeypatch.setattr(own_process, "_is_hooked", False)
    monkeypatch.setattr(own_process, "call_after_fork_in_child", hooks.append)
    mark = own_process.mark()
    assert own_process.mark() == mark
    hook, = hooks
    hook()  # as in a child
    assert own_process.here[0] == 0
