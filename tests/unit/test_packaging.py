"""The sdist and the wheel: they build without gevent, are complete, and install where nothing is.

Needs the package index, as every installation does.
"""

from __future__ import absolute_import, division, print_function

import glob
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from clusterclient_sync.protocol.transcodes import msgpack_bytes
from support.processes import ROOT

OLDEST_ORMSGPACK = ">=" + ".".join(str(number) for number in msgpack_bytes.OLDEST)

pytestmark = [pytest.mark.slow, pytest.mark.limit(300)]

SOURCES = ("clusterclient_sync", "examples", "benchmarks", "tests")
NOT_SOURCES = shutil.ignore_patterns("__pycache__", "*.py[co]", "*.egg-info", ".*")


def call(*command, **options):
    """Run a command outside of the checkout; returns its output, which a failure shows."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(list(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=env, **options)
    output = process.communicate()[0].decode("utf-8", "replace")
    assert process.returncode == 0, "%s\n%s" % (" ".join(command), output)
    return output


def make_environment(folder):
    """An empty virtual environment of the Python that runs the tests; returns its Python."""
    try:
        import venv  # noqa: F401  (Python 3 has it)
        tool = "venv"
    except ImportError:
        tool = "virtualenv"
    call(sys.executable, "-m", tool, folder)
    return os.path.join(folder, "bin", "python")


def copy_of_the_checkout(folder):
    os.mkdir(folder)
    for name in os.listdir(ROOT):
        path = os.path.join(ROOT, name)
        if os.path.isfile(path) and not name.startswith("."):
            shutil.copy(path, folder)
    for name in SOURCES:
        if os.path.isdir(os.path.join(ROOT, name)):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(folder, name),
                            ignore=NOT_SOURCES)
    return folder


def version():
    """The version as its one place says it, read without importing the package."""
    found = {}
    with open(os.path.join(ROOT, "clusterclient_sync", "_version.py")) as source:
        exec(source.read(), found)
    return found["__version__"]


@pytest.fixture(scope="module")
def built(tmpdir_factory):
    """``(sdist, wheel made of that sdist)``, built in an environment that has no gevent."""
    folder = tmpdir_factory.mktemp("build")
    python = make_environment(str(folder.join("builder")))
    call(python, "-m", "pip", "install", "--quiet", "setuptools", "wheel")
    checkout = copy_of_the_checkout(str(folder.join("checkout")))
    dist = str(folder.join("dist"))
    call(python, "setup.py", "--quiet", "sdist", "--formats=gztar", "--dist-dir", dist,
         cwd=checkout)
    sdist, = glob.glob(os.path.join(dist, "*.tar.gz"))
    call(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", dist, sdist,
         cwd=str(folder))
    wheel, = glob.glob(os.path.join(dist, "*.whl"))
    return sdist, wheel


def source_files():
    """What belongs into the wheel, as the names that it has there."""
    found = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "clusterclient_sync")):
        for name in names:
            if name.endswith((".py", ".pyi")) or name == "py.typed":
                found.add(os.path.relpath(os.path.join(folder, name), ROOT))
    return found


def test_the_wheel_is_for_both_pythons_and_complete(built):
    _, wheel = built
    assert os.path.basename(wheel) == "clusterclient_sync-%s-py2.py3-none-any.whl" % version()
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist()
                 if ".dist-info/" not in name and ".data/" not in name}
        metadata, = [archive.read(name).decode("utf-8") for name in archive.namelist()
                     if name.endswith(".dist-info/METADATA")]
    assert "clusterclient_sync/py.typed" in names
    assert {name for name in names if name.endswith((".py", ".pyi", "py.typed"))} == source_files()
    assert "\nVersion: %s\n" % version() in metadata
    assert "!=3.7.*" in metadata and ">=2.7" in metadata
    speed, = [line for line in metadata.splitlines()
              if line.startswith("Requires-Dist: ormsgpack") and "speed" in line]
    assert OLDEST_ORMSGPACK in speed and "3.11" in speed


def test_the_sdist_holds_what_a_packager_needs(built):
    sdist, _ = built
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"LICENSE", "CHANGES.rst", "setup.cfg", "setup.py", "pyproject.toml",
                     "run_tests.py", "tests/conftest.py", "tests/support/leaks.py",
                     "benchmarks/__main__.py"}
    assert names >= source_files()


def test_the_wheel_installs_into_an_empty_environment_and_imports(built, tmpdir):
    _, wheel = built
    python = make_environment(str(tmpdir.join("empty")))
    call(python, "-m", "pip", "install", "--quiet", wheel)
    code = "import clusterclient_sync as c; print(c.__version__); print(c.__file__)"
    told, path = call(python, "-W", "ignore", "-c", code, cwd=str(tmpdir)).split()[-2:]
    assert told == version()
    assert str(tmpdir) in path
    assert version() in call(python, "-m", "clusterclient_sync", "--version", cwd=str(tmpdir))
    code = ("from clusterclient_sync.protocol.transcodes import offered; "
            "print(offered('json')[0].name)")
    assert call(python, "-W", "ignore", "-c", code).split()[-1] == "json"
    call(python, "-m", "pip", "install", "--quiet", wheel + "[speed]")
    has_it = sys.version_info >= (3, 11)
    assert call(python, "-W", "ignore", "-c", code).split()[-1] == ("msgpack" if has_it else "json")
    installed = tmpdir.join("empty", "share", "clusterclient_sync", "examples")
    examples = [name for name in os.listdir(os.path.join(ROOT, "examples"))
                if name.endswith(".py")]
    assert examples and set(examples) == {path.basename for path in installed.listdir("*.py")}
