"""The README's complete example, run as it stands, in two processes."""

from __future__ import absolute_import, division, print_function

import io
import os
import signal
import textwrap

import gevent

from clusterclient_sync._compat import monotonic
from support.processes import ROOT

BEGIN = u"A complete example\n===="


def example():
    """The first code block after the heading, as text."""
    with io.open(os.path.join(ROOT, "README.rst"), encoding="utf-8") as source:
        text = source.read()
    block = text[text.index(BEGIN):].split(u".. code-block:: python\n", 1)[1]
    lines = []
    for line in block.splitlines():
        if line and not line.startswith(u" "):
            break
        lines.append(line)
    return textwrap.dedent(u"\n".join(lines)).strip() + u"\n"


def printed(child, text, timeout=20):
    """Wait until the child has printed a line that ends with ``text``."""
    deadline = monotonic() + timeout
    while not any(line.rstrip().endswith(text) for line in child.noise):
        assert monotonic() < deadline, "%r was not printed by %s" % (text, child.describe())
        gevent.sleep(0.01)


def test_the_example_runs_and_survives_its_leader(tmpdir, processes, port):
    script = tmpdir.join("example.py")
    script.write_text(example(), "utf-8")
    folder = str(tmpdir.join("registry"))
    env = {"CLUSTERCLIENT_PORT": str(port), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}

    first = processes.start(str(script), folder, env=env)
    printed(first, "process %d is a leader now" % first.pid)
    second = processes.start(str(script), folder, env=env)
    printed(second, "process %d is a follower now" % second.pid)
    printed(second, "hello from %d'" % second.pid)
    printed(first, "hello from %d'" % second.pid)
    assert not any("opened" in line for line in second.noise)

    first.kill(signal.SIGKILL)
    printed(second, "process %d is a leader now" % second.pid)
    printed(second, "process %d opened %s" % (second.pid, folder))

    second.kill(signal.SIGINT)
    assert second.wait() == 0
