"""The npm package beside ours: its environment, and the command of its programs.

The packages are those that the tests with Node.js pin; ``npm ci`` makes them in a folder of our own
that git ignores, on first use and when the pins changed.
"""

from __future__ import absolute_import, division, print_function

import fcntl
import json
import os
import shutil
import subprocess

from benchmarks.progress import LeftOut
from benchmarks.workers import ROOT

PINS = os.path.join(ROOT, "tests", "interop")
FOLDER = os.path.join(ROOT, ".venvs", "npm-benchmarks")
SCRIPTS = os.path.join(ROOT, "benchmarks", "node")
FILES = ("package.json", "package-lock.json")
DONE = "made"


class NotMade(LeftOut):
    """Node.js or npm is not here, or the packages cannot be had; the text says which."""


def program(script="member.js"):
    """The command of a script before its job, and its environment; makes what is missing."""
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    with open(os.path.join(FOLDER, "lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_made():
            _make()
    return ["node", os.path.join(SCRIPTS, script)], dict(
        os.environ, NODE_PATH=os.path.join(FOLDER, "node_modules"))


def _is_made():
    return os.path.exists(os.path.join(FOLDER, DONE)) and all(
        _content(FOLDER, name) == _content(PINS, name) for name in FILES)


def _content(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return None
    with open(path, "rb") as source:
        return source.read()


def _make():
    done = os.path.join(FOLDER, DONE)
    if os.path.exists(done):
        os.unlink(done)
    for name in FILES:
        shutil.copy(os.path.join(PINS, name), FOLDER)
    try:
        process = subprocess.Popen(
            ["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise NotMade("npm cannot be started: %s" % error)
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode != 0:
        raise NotMade("npm ci failed in %s:\n%s" % (FOLDER, output))
    open(done, "w").close()


def versions():
    """Of the npm package, by its pin, and of Node.js."""
    pins = json.loads(_content(PINS, FILES[0]).decode("utf-8"))["dependencies"]
    try:
        node = subprocess.check_output(["node", "--version"]).decode("ascii").strip()
    except OSError as error:
        raise NotMade("node cannot be started: %s" % error)
    return pins["cluster-client"], node
