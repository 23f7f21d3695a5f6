"""The shape of the package: who imports whom, and the form of every module.  Nothing is imported.
"""

from __future__ import absolute_import, division, print_function

import ast
import io
import os
import re

import pytest

PACKAGE = "clusterclient_sync"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FUTURE = "from __future__ import absolute_import, division, print_function"
MAX_LINES = 400
MAX_WIDTH = 100

#: What the modules of each part may import of the package: parts, and modules of the top level.
GROUND = {"own_process", "exceptions", "_compat"}
ALLOWED = {
    "greenlets": GROUND | {"greenlets"},
    "protocol": GROUND | {"protocol"},
    "transport": GROUND | {"greenlets", "protocol", "transport"},
    "election": GROUND | {"greenlets", "protocol", "transport", "election"},
    "roles": GROUND | {"greenlets", "protocol", "transport", "roles",
                       "method_spec", "delegation", "data_client", "events", "options"},
    "runtime": GROUND | {"greenlets", "transport", "runtime", "core", "registry", "states",
                         "events"},
}
#: Nothing that does I/O, nor what waits for it.
NOT_IN_PROTOCOL = {"gevent", "greenlet", "socket", "_socket", "select", "selectors", "ssl",
                   "threading", "thread", "_thread", "asyncio", "subprocess"}


class Module(object):
    """What is to be known of a source file.

    Its syntax tree is not kept: the trees of all modules are so many objects that every later test
    of the run, which looks through all objects for leaks, would pay for them.
    """

    def __init__(self, path):
        self.path = os.path.relpath(path, ROOT)
        parts = self.path[:-len(".py")].split(os.sep)
        self.is_package = parts[-1] == "__init__"
        self.name = ".".join(parts[:-1] if self.is_package else parts)
        with io.open(path, "rb") as source:
            self.data = source.read()
        tree = ast.parse(self.data, path)
        self.imports = list(self._imports_of(tree))
        self.has_docstring = bool(ast.get_docstring(tree))
        self.is_more_than_a_docstring = len(tree.body) > 1
        self.forbidden = list(forbidden(tree, is_compat=self.name == PACKAGE + "._compat"))
        # The part that it belongs to: a subpackage, or itself.
        self.part = parts[1]

    def lines(self):
        return self.data.decode("utf-8").splitlines()

    def _imports_of(self, tree):
        """What it imports, wherever in the file, as absolute names ``(module, name or None)``."""
        package = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, None
            elif isinstance(node, ast.ImportFrom):
                base = package[:len(package) - node.level + 1] if node.level else []
                module = ".".join(base + ([node.module] if node.module else []))
                for alias in node.names:
                    yield module, alias.name


def forbidden(tree, is_compat):
    """Constructs that have no place in the package."""
    for node in ast.walk(tree):
        where = "line %d: " % getattr(node, "lineno", 0)
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield where + "a bare except"
        if is_compat:
            continue
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else [name]
        for name in names:
            if name in ("PY2", "PY3", "PY34", "version_info", "hexversion"):
                yield where + "asks for the Python version (%s)" % name


def read_all():
    found = {}
    for folder, _, names in os.walk(os.path.join(ROOT, PACKAGE)):
        for name in names:
            if name.endswith(".py"):
                module = Module(os.path.join(folder, name))
                found[module.name] = module
    return found


MODULES = read_all()


def of(part):
    return sorted((one for one in MODULES.values() if one.part == part), key=lambda one: one.name)


def targets(module):
    """The modules of the package that a module imports."""
    found = set()
    for base, name in module.imports:
        if name is not None and "%s.%s" % (base, name) in MODULES:
            found.add("%s.%s" % (base, name))
        elif base in MODULES:
            found.add(base)
    return found


def test_the_package_was_read():
    for name in ("core", "protocol.frames", "transport.connection", "roles.leader"):
        assert "%s.%s" % (PACKAGE, name) in MODULES
    assert "%s.protocol.frames" % PACKAGE in targets(MODULES[PACKAGE + ".transport.connection"])
    assert PACKAGE + ".transport.fork_guard" in targets(MODULES[PACKAGE + ".transport.server"])


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_dependencies_point_down(part):
    wrong = ["%s imports %s" % (module.name, target)
             for module in of(part) for target in sorted(targets(module))
             if target.split(".")[1:2] and target.split(".")[1] not in ALLOWED[part]
             or target == PACKAGE]
    assert not wrong


def test_the_protocol_does_no_io():
    wrong = ["%s imports %s" % (module.name, base) for module in of("protocol")
             for base, _ in module.imports if base.split(".")[0] in NOT_IN_PROTOCOL]
    assert not wrong


def test_integrations_are_imported_by_nothing():
    prefix = PACKAGE + ".integrations"
    wrong = [module.name for module in MODULES.values() if module.part != "integrations"
             for target in targets(module) if target.startswith(prefix)]
    assert not wrong


def test_no_module_imports_itself_by_way_of_others():
    done, path = set(), []

    def visit(name):
        assert name not in path, "a circle: %s" % " -> ".join(path[path.index(name):] + [name])
        if name in done:
            return
        path.append(name)
        for target in sorted(targets(MODULES[name])):
            visit(target)
        path.pop()
        done.add(name)

    for name in sorted(MODULES):
        visit(name)


def test_the_form_of_every_module():
    wrong = []
    for _, module in sorted(MODULES.items()):
        wrong.extend("%s: %s" % (module.path, problem) for problem in problems(module))
    assert not wrong, "\n".join(wrong)


def problems(module):
    """What is wrong with the form of a module."""
    lines = module.lines()
    if len(lines) > MAX_LINES:
        yield "%d lines, more than %d" % (len(lines), MAX_LINES)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_WIDTH:
            yield "line %d has %d characters" % (number, len(line))
    if not module.has_docstring:
        yield "no docstring on top"
    if module.is_more_than_a_docstring and FUTURE not in lines:
        yield "lacks the line %r" % FUTURE
    if not is_ascii(module.data) and not re.match(r"#.*coding[:=]\s*utf-8", lines[0]):
        yield "not ASCII, and without a coding line"
    for problem in module.forbidden:
        yield problem


def is_ascii(data):
    return all(byte < 128 for byte in bytearray(data))
