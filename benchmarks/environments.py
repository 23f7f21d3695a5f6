"""The Python of each subject: ours, or an environment of its own with pinned packages.

Environments are made on first use and when the pins changed, in a folder that git ignores; several
runs at once wait for the one that makes them.
"""

from __future__ import absolute_import, division, print_function

import fcntl
import os
import shutil
import subprocess
import sys

import gevent
import six

from benchmarks import npm, subjects
from benchmarks.progress import LeftOut
from benchmarks.workers import ROOT

FOLDER = os.path.join(ROOT, ".venvs")
DONE = "made"
#: What runs in greenlets runs on the same as the cluster here.
OWN = ("gevent==%s" % gevent.__version__, "six==%s" % six.__version__)
SPEED_MISSING = "needs the extra: pip install clusterclient-sync[speed] (or --peers)"
CHECK_SPEED = "from benchmarks.subjects import cluster_subject; cluster_subject.SPEED.check()"


_found = {}  # subject's name -> its program, or why there is none: looked for once in a run


def program(subject, with_peers, say):
    """The command of a subject's processes before their job, and their environment variables.

    :param with_peers: whether environments are made.
    :param say: called with a line of text before something takes long.
    :raises LeftOut: it cannot be measured here.
    """
    if subject.name not in _found:
        try:
            _found[subject.name] = _program(subject, with_peers, say)
        except LeftOut as reason:
            _found[subject.name] = reason
    if isinstance(_found[subject.name], LeftOut):
        raise LeftOut(str(_found[subject.name]))
    return _found[subject.name]


def _program(subject, with_peers, say):
    if subject.runs_on == subjects.NODE:
        return npm.program("caller.js")
    if subject.name == subjects.SPEED:
        return _of(_python_with_speed(subject, with_peers, say))
    if subject.packages:
        ground = OWN if subject.callers == subjects.GREENLETS else ()
        return _of(python_of(subject.name, ground + subject.packages, say))
    return _of(sys.executable)


def _of(python):
    return [python, "-m", "benchmarks.worker"], None


def program_of_python(python):
    """The same for the cluster on another Python.

    :raises LeftOut: it lacks what the cluster needs.
    """
    _check(python, "import clusterclient_sync", "%s cannot import what the cluster needs" % python)
    return _of(python)


def _python_with_speed(subject, with_peers, say):
    try:
        _check(sys.executable, CHECK_SPEED, SPEED_MISSING)
        return sys.executable
    except LeftOut:
        if not with_peers:
            raise
    python = python_of(subject.name, OWN + subject.packages, say)
    _check(python, CHECK_SPEED, "this checkout does not know its transcode")
    return python


def _check(python, source, missing):
    """Run a line of Python there; where it fails, the subject is left out for what is missing."""
    try:
        process = subprocess.Popen([python, "-c", source], cwd=ROOT, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise LeftOut("%s cannot be started: %s" % (python, error))
    errors = process.communicate()[1].decode("utf-8", "replace")
    if process.returncode != 0:
        raise LeftOut("%s (%s)" % (missing, last_line(errors)))


def python_of(name, packages, say):
    """The interpreter of an environment with these packages; makes what is missing."""
    folder = os.path.join(FOLDER, "benchmarks-%s-%d.%d" % ((name,) + sys.version_info[:2]))
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    with open(folder + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _made(folder) != list(packages):
            say("making the environment of %s (%s)" % (name, ", ".join(packages)))
            _make(folder, packages)
    return os.path.join(folder, "bin", "python")


def _made(folder):
    """The packages of a finished environment; ``None`` where there is none."""
    done = os.path.join(folder, DONE)
    if not os.path.exists(done):
        return None
    with open(done) as text:
        return text.read().split()


def _make(folder, packages):
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", folder], "an environment cannot be made")
    _run([os.path.join(folder, "bin", "python"), "-m", "pip", "install", "--quiet",
          "--disable-pip-version-check"] + list(packages), "it cannot be installed")
    with open(os.path.join(folder, DONE), "w") as text:
        text.write("\n".join(packages))


def _run(command, failure):
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode != 0:
        raise LeftOut("%s (%s)" % (failure, last_line(output)))


def last_line(text):
    """The last of these lines that is not empty: where programs say what is wrong."""
    return ([line.strip() for line in text.splitlines() if line.strip()] or ["it says nothing"])[-1]
