"""Import a package and say what that took: ``import_probe.py PACKAGE [MODULE...]``

The modules are imported first and count apart.  A program of its own that imports nothing else of
ours.  It says a JSON object: seconds, how many greenlets and threads there are more than before,
and which modules are ``loaded`` in the end.
"""

from __future__ import absolute_import, division, print_function

import gc
import importlib
import json
import sys
import threading
from timeit import default_timer


def main(package, *modules):
    begun = default_timer()
    for name in modules:
        importlib.import_module(name)
    middle = default_timer()
    before = _greenlets(), threading.active_count()
    resumed = default_timer()
    importlib.import_module(package)
    ended = default_timer()
    after = _greenlets(), threading.active_count()
    print(json.dumps({
        "gevent_seconds": middle - begun, "package_seconds": ended - resumed,
        "greenlets": after[0] - before[0], "threads": after[1] - before[1],
        "loaded": sorted(name for name, module in sys.modules.items() if module is not None)}))


def _greenlets():
    if "greenlet" not in sys.modules:
        return 0
    kind = sys.modules["greenlet"].greenlet
    return sum(isinstance(one, kind) for one in gc.get_objects())


if __name__ == "__main__":
    main(*sys.argv[1:])
