"""What the import costs, and what it leaves running."""

from __future__ import absolute_import, division, print_function

import contextlib
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile

import clusterclient_sync
from benchmarks import figures
from benchmarks.shapes import import_probe
from benchmarks.shapes.benchmark import OURS, Benchmark, in_turn, numbers
from benchmarks.workers import WorkerFailed

_PACKAGE = "clusterclient_sync"


@contextlib.contextmanager
def _installed():
    """A folder with a compiled copy of the package: nothing is compiled while it is measured."""
    folder = tempfile.mkdtemp(prefix="benchmarks-start-")
    try:
        shutil.copytree(os.path.dirname(clusterclient_sync.__file__),
                        os.path.join(folder, _PACKAGE),
                        ignore=shutil.ignore_patterns("*.pyc", "__pycache__"))
        compileall.compile_dir(folder, quiet=1)
        yield folder
    finally:
        shutil.rmtree(folder)


def _probe(folder, modules):
    """Import the package in a fresh process; what ``import_probe`` says."""
    process = subprocess.Popen(
        [sys.executable, import_probe.__file__.replace(".pyc", ".py"), _PACKAGE] + modules,
        env=dict(os.environ, PYTHONPATH=folder), stdout=subprocess.PIPE)
    output = process.communicate()[0]
    if process.returncode:
        raise WorkerFailed("an import of the package failed")
    return json.loads(output.decode("ascii"))


def _measure(options, progress):
    settings = numbers(options, {"rounds": 15}, {"rounds": 2})
    with _installed() as folder:
        # What it imports of gevent counts as gevent's own, whoever imports it first.
        modules = [name for name in _probe(folder, [])["loaded"] if name.startswith("gevent")]
        rounds = in_turn("start", [OURS], settings["rounds"], lambda _: _probe(folder, modules),
                         progress)[OURS]
    settings["gevent_modules"] = len(modules)

    def row(name, title, key, factor):
        return figures.row(name, title, [one[key] * factor for one in rounds])

    return figures.summary(START.name, START.about, settings, [
        figures.figure("import", "import in a fresh process", "ms",
                       [row(OURS, "the package, after gevent", "package_seconds", 1e3),
                        row("gevent", "gevent, as much as the package uses", "gevent_seconds",
                            1e3)],
                       base=None, more_is_better=False, digits=1),
        figures.figure("left", "what the import starts", "",
                       [row("greenlets", "greenlets", "greenlets", 1),
                        row("threads", "threads", "threads", 1)],
                       base=None, more_is_better=False)])


START = Benchmark(
    "start", "import of the package beyond what it takes of gevent; greenlets and threads after it",
    _measure)
