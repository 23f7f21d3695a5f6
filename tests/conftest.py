"""What every test gets: a hard limit, a check for leaks, and the fixtures for processes and ports.

There is no mark that allows a leak: what a test or its fixtures made, they end.
"""

from __future__ import absolute_import, division, print_function

import os
import subprocess

import pytest

from support import leaks, limits
from support.ports import free_port
from support.processes import Processes, environment

OTHER_PYTHON_VARIABLE = "CLUSTERCLIENT_OTHER_PYTHON"


def pytest_addoption(parser):
    parser.addoption(
        "--other-python", metavar="PATH", default=os.environ.get(OTHER_PYTHON_VARIABLE),
        help="an interpreter of the other major version, with gevent and six, for the tests of "
             "mixed clusters (default: the environment's %s)" % OTHER_PYTHON_VARIABLE)


# -- limits

def pytest_configure(config):
    config.clusterclient_limiter = limits.Limiter()
    config.clusterclient_before = None


def pytest_unconfigure(config):
    config.clusterclient_limiter.close()


def _limited(item, phase):
    limiter = item.config.clusterclient_limiter
    return limiter.limit("%s of %s" % (phase, item.nodeid), limits.limit_of(item))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    with _limited(item, "the setup"):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    with _limited(item, "the body"):
        yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    with _limited(item, "the teardown"):
        yield


# -- leaks

def _fail_for(left, who):
    if left:
        pytest.fail("%s left behind:\n\n%s" % (who, "\n\n".join(left)), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def no_leaks_of_the_session():
    """Nothing that a fixture of a module or of the session made outlives the run."""
    leaks.warm_up()
    before = leaks.Snapshot()
    yield
    _fail_for(leaks.wait_until_clean(before), "the session")


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef, request):
    yield
    if fixturedef.scope != "function":
        # What it made may stay: what was there after the last test says nothing about this one.
        request.config.clusterclient_before = None


@pytest.fixture(autouse=True)
def no_leaks(request, no_leaks_of_the_session):
    """Nothing that the test or its own fixtures made outlives it (those of wider scope may)."""
    config = request.config
    # Looking through all objects is not cheap: what the last test left clean is looked at once.
    before = config.clusterclient_before or leaks.Snapshot()
    config.clusterclient_before = None
    yield
    left = leaks.wait_until_clean(before)
    if not left:
        config.clusterclient_before = before
    _fail_for(left, request.node.nodeid)


# -- processes and ports

@pytest.fixture
def processes(no_leaks):
    """Starts scripts as child processes (``support.processes``), and ends them with the test."""
    started = Processes()
    yield started
    started.end_all()


@pytest.fixture
def port():
    """A free loopback port, outside the range of outgoing connections."""
    return free_port()


@pytest.fixture(scope="session")
def other_python(request, no_leaks_of_the_session):
    """The path of a Python of the other major version that can import the package."""
    path = request.config.getoption("--other-python")
    if not path:
        pytest.skip("needs an interpreter of the other major version: --other-python=PATH, or "
                    "run_tests.py with --python 2.7 and a Python 3")
    subprocess.check_call([path, "-c", "import gevent, six, clusterclient_sync"],
                          env=environment(path, {}))
    return path
