"""Where the example application lies, and how a child process imports this package."""

from __future__ import absolute_import, division, print_function

import os
import site
import sys
import sysconfig

import clusterclient_sync
from clusterclient_sync.demo.findings import DemoError

FILES = ("app.py", "gunicorn_conf.py", "registry_client.py", "registry_server.py")
INSTALLED = os.path.join("share", "clusterclient_sync", "examples")

# What would make gunicorn or the application behave otherwise than the demo means it to.
FOREIGN_VARIABLES = ("GUNICORN_", "LISTEN_", "CLUSTERCLIENT_", "NODE_CLUSTER_CLIENT_", "REGISTRY_",
                     "WEB_CONCURRENCY")


def _package_root():
    return os.path.dirname(os.path.dirname(os.path.abspath(clusterclient_sync.__file__)))


def _candidates():
    root = _package_root()
    yield os.path.join(root, "examples")  # a checkout
    prefixes = [sysconfig.get_path("data"), sys.prefix, root]
    if hasattr(site, "getuserbase"):  # not in the environments of old virtualenvs
        prefixes.append(site.getuserbase())
    for prefix in prefixes:
        yield os.path.join(prefix, INSTALLED)


def examples_directory():
    """The directory of the example application; raises ``DemoError`` where there is none."""
    looked_in = []
    for directory in _candidates():
        if all(os.path.isfile(os.path.join(directory, name)) for name in FILES):
            return directory
        if directory not in looked_in:
            looked_in.append(directory)
    raise DemoError("The demo's application (examples/app.py and the files beside it) is in none "
                    "of %s. Run the demo from a checkout." % ", ".join(looked_in))


def child_environment(**variables):
    """The environment of a child: ours, without what would lead it astray, and ``variables``."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(FOREIGN_VARIABLES)}
    root = _package_root()
    if os.path.basename(root) not in ("site-packages", "dist-packages"):
        # A checkout: a child runs elsewhere, and would not find the package or find another.
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([root] + ([known] if known else []))
    environment.update(variables)
    return environment
