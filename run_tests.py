#!/usr/bin/env python3
"""Run the tests: ``python3 run_tests.py [options] [arguments of pytest]``.

Needs only a Python (3.8 or later) and its package index.  It makes a virtual environment below
``.venvs/``, installs the package from this checkout with its ``test`` extra, and runs pytest there;
an environment is used again while the requirements are the same.  What it does not know itself
goes to pytest::

    python3 run_tests.py tests/unit -k frames
    python3 run_tests.py --python 2.7 --python newest

With several interpreters the suite runs on each in turn, and the output ends with the summary line
of each, those that failed last.  The exit status is 0 only where every suite passed (one that found
no tests did not) and every ``--python`` was there.
"""

from __future__ import absolute_import, division, print_function

import argparse
import concurrent.futures
import hashlib
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENVS = os.path.join(ROOT, ".venvs")
SUPPORTED = ((2, 7),) + tuple((3, minor) for minor in range(8, 15))
REQUIREMENTS = ("setup.cfg", "setup.py", "pyproject.toml")
# The last virtualenv that makes environments for Python 2.7, and runs itself on Python 3.
VIRTUALENV = "virtualenv==20.21.1"
SUMMARY = re.compile(
    r"(\d+ (passed|failed|errors?|skipped|deselected|warnings?|xfailed|xpassed)\b|no tests ran)"
    r".* in \d[\d.]* ?s")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Problem(Exception):
    """Something that the user has to do first; the text says what."""


class Interpreter(object):
    """A CPython that exists (``version``: the triple that it says of itself)."""

    def __init__(self, path, version):
        self.path = path
        self.version = version
        self.name = ".".join(str(number) for number in version)

    @property
    def series(self):
        return self.version[:2]


# -- finding interpreters

def examine(path):
    """The interpreter at this path, or None where none answers there."""
    code = "import sys, platform; print(platform.python_implementation(), *sys.version_info[:3])"
    code = "from __future__ import print_function; " + code
    try:
        answer = subprocess.check_output(
            [path, "-c", code], stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    words = answer.decode("ascii", "replace").split()
    if len(words) != 4 or words[0] != "CPython":
        return None
    return Interpreter(path, tuple(int(word) for word in words[1:]))


def installed(series):
    """The interpreter of a series such as ``(3, 8)`` on this machine, or None."""
    if series == sys.version_info[:2]:
        return examine(sys.executable)
    name = "%d.%d" % series
    found = shutil.which("python" + name)
    candidates = [found] if found else []
    versions = os.path.join(
        os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")), "versions")
    if os.path.isdir(versions):
        candidates += [os.path.join(versions, entry, "bin", "python")
                       for entry in sorted(os.listdir(versions), reverse=True)
                       if entry == name or entry.startswith(name + ".")]
    for path in candidates:
        interpreter = examine(path)
        if interpreter is not None and interpreter.series == series:
            return interpreter
    return None


def find(wanted):
    """The interpreter that ``--python`` names: a path, ``newest``, or a series such as ``2.7``."""
    if wanted == "newest":
        for series in reversed(SUPPORTED):
            interpreter = installed(series)
            if interpreter is not None:
                return interpreter
        return None
    if re.match(r"\d+\.\d+$", wanted):
        series = tuple(int(part) for part in wanted.split("."))
        interpreter = installed(series)
    else:
        interpreter = examine(shutil.which(wanted) or wanted)
    if interpreter is not None and interpreter.series not in SUPPORTED:
        raise Problem("Python %s is not supported; these are: %s." % (
            interpreter.name, ", ".join("%d.%d" % series for series in SUPPORTED)))
    return interpreter


# -- environments

def run(command):
    """Run a step of the preparation; its output is shown only where it fails."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, cwd=ROOT)
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode != 0:
        raise Problem("%s\nThis command failed with status %d: %s" % (
            output.rstrip(), process.returncode, " ".join(command)))


def make_environment(interpreter, folder):
    """Make an empty virtual environment with pip in it."""
    shutil.rmtree(folder, ignore_errors=True)
    if interpreter.version >= (3,):
        try:
            run([interpreter.path, "-m", "venv", folder])
        except Problem as problem:
            shutil.rmtree(folder, ignore_errors=True)
            raise Problem("%s\nPython %s could not make a virtual environment.  On Debian and "
                          "Ubuntu the module for it is a package: apt install python3-venv"
                          % (problem, interpreter.name))
        return
    helper = os.path.join(VENVS, "virtualenv")
    python = os.path.join(helper, "bin", "python")
    this = examine(sys.executable)
    reuse_or_make(helper, "%s %s" % (VIRTUALENV, this.name), lambda: (
        make_environment(this, helper),
        run([python, "-m", "pip", "install", "--quiet", VIRTUALENV])))
    run([python, "-m", "virtualenv", "--quiet", "--no-download", "--python", interpreter.path,
         folder])


def reuse_or_make(folder, stamp, make):
    """Call ``make()`` unless the folder was completed under the same stamp."""
    note = os.path.join(folder, "made-from.txt")
    try:
        with open(note) as lines:
            if lines.read() == stamp:
                return
    except IOError:
        pass
    make()
    with open(note, "w") as lines:
        lines.write(stamp)


def prepare(interpreter, extra):
    """An environment with this checkout and one of its extras; returns its Python's path."""
    folder = os.path.join(VENVS, "%s-%s" % (extra, interpreter.name))
    python = os.path.join(folder, "bin", "python")
    digest = hashlib.sha256()
    for name in REQUIREMENTS:
        with open(os.path.join(ROOT, name), "rb") as content:
            digest.update(content.read())
    stamp = "%s %s %s" % (digest.hexdigest(), interpreter.path, folder)

    def make():
        print("Preparing an environment for Python %s ..." % interpreter.name, flush=True)
        make_environment(interpreter, folder)
        run([python, "-m", "pip", "install", "--quiet", "--editable", ".[%s]" % extra])

    reuse_or_make(folder, stamp, make)
    return python


# -- running

def test_command(python, others, arguments):
    """The command that runs pytest; mixed-version tests get one of the other interpreters."""
    command = [python, "-m", "pytest"]
    if others:
        command.append("--other-python=" + others[0])
    return command + arguments


def run_and_keep_summary(command, prefix=""):
    """Run pytest, pass its output on, and return ``(exit status, its summary line)``."""
    if sys.stdout.isatty():
        command = command + ["--color=yes"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    summary = "(pytest ended without a summary)"
    for line in process.stdout:
        text = line.decode("utf-8", "replace")
        sys.stdout.write(prefix + text)
        sys.stdout.flush()
        if SUMMARY.search(COLOUR.sub("", text)):
            summary = text.rstrip("\n")
    return process.wait(), summary


def run_several(pythons, missing, arguments, jobs):
    """Run the suite on each ``(interpreter, path)``, so many at a time; returns 1 where one failed,
    else 0.
    """
    def run_one(pair):
        interpreter, python = pair
        print("\n######## Python %s\n" % interpreter.name, flush=True)
        others = [path for other, path in pythons if other.version[0] != interpreter.version[0]]
        status, summary = run_and_keep_summary(
            test_command(python, others, arguments), interpreter.name + ": " if jobs > 1 else "")
        return status, interpreter.name, summary

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(run_one, pythons))
    print()
    for text in missing:
        print(text)
    for status, name, summary in sorted(results, key=lambda result: result[0] != 0):
        print("Python %s: %s\n%s" % (
            name, "failed, status %d" % status if status else "passed", summary))
    sys.stdout.flush()
    return int(any(status for status, _, _ in results))


def parse(arguments):
    parser = argparse.ArgumentParser(
        usage="python3 run_tests.py [options] [arguments of pytest]",
        description="Make a virtual environment and run the tests in it.",
        epilog="A PYTHON is a path, a series such as 2.7, or 'newest'.", allow_abbrev=False)
    parser.add_argument("--python", action="append", default=[], metavar="PYTHON",
                        help="run the suite on this one (repeatable; default: the one that runs "
                             "this command); it is a failure where it is missing")
    parser.add_argument("--python-if-found", action="append", default=[], metavar="PYTHON",
                        help="the same, but a missing one is only mentioned")
    parser.add_argument("--jobs", type=int, default=1, metavar="N",
                        help="run the suite on N interpreters at a time (1)")
    parser.add_argument("--prepare", metavar="EXTRA",
                        help="run no tests: make the environment with this extra and print the "
                             "path of its Python as the last line")
    return parser.parse_known_args(arguments)


def choose(options):
    """``(interpreters, a sentence for each that is missing, whether one of those is needed)``."""
    if not options.python and not options.python_if_found:
        return [examine(sys.executable)], [], False
    chosen, missing, failed = [], [], False
    for needed, names in ((True, options.python), (False, options.python_if_found)):
        for name in names:
            interpreter = find(name)
            if interpreter is None:
                missing.append("Python %s was not found here: no tests ran on it." % name)
                failed = failed or needed
            elif interpreter.name not in [other.name for other in chosen]:
                chosen.append(interpreter)
    return chosen, missing, failed


def main(arguments):
    options, rest = parse(arguments)
    chosen, missing, failed = choose(options)
    if not chosen:
        raise Problem("\n".join(missing))
    pythons = [(interpreter, prepare(interpreter, options.prepare or "test"))
               for interpreter in chosen]
    if options.prepare:
        print("\n".join(missing + [python for _, python in pythons]))
        return int(failed)
    if len(pythons) == 1:
        print("".join(text + "\n" for text in missing), end="", flush=True)
        status = subprocess.call(test_command(pythons[0][1], [], rest), cwd=ROOT,
                                 stdin=subprocess.DEVNULL)
    else:
        status = run_several(pythons, missing, rest, options.jobs)
    return status or int(failed)


if __name__ == "__main__":
    if sys.version_info < (3, 8):
        sys.exit("This command needs Python 3.8 or later to run; the tests run on 2.7 too: "
                 "python3 run_tests.py --python 2.7")
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as trouble:
        sys.exit(str(trouble))
    except KeyboardInterrupt:
        sys.exit(130)
