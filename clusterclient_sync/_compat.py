"""The one place that asks which Python runs.

Everything that differs between CPython 2.7 and 3.8+ and that six does not already smooth
over is decided here, once, at import.  The rest of the package imports the answer.
"""

from __future__ import absolute_import, division, print_function

import datetime
import errno
import inspect
import operator
import os
import re
import select
import sys

import six
from gevent import monkey
from gevent._hub_local import get_hub_if_exists

PY2 = six.PY2

if PY2:
    import atexit
    import fcntl
    import imp

    from monotonic import monotonic

    builtins_module = "exceptions"

    def set_close_on_exec(fileno):
        """Keep a descriptor out of the programs that this process execs (Python 2 does not)."""
        flags = fcntl.fcntl(fileno, fcntl.F_GETFD)
        fcntl.fcntl(fileno, fcntl.F_SETFD, flags | fcntl.FD_CLOEXEC)

    def parameter_names(function):
        """The names of a callable's parameters, without ``self``; empty where it tells none."""
        try:
            spec = inspect.getargspec(function)
        except TypeError:
            return []
        names = spec.args
        if getattr(function, "__self__", None) is not None or inspect.ismethod(function):
            names = names[1:]
        return [name for name in names if isinstance(name, str)]

    def positional_parameters(function):
        """``(names, defaults by name, whether it takes more)`` of what a function, not a method,
        takes by position; ``None`` where it does not tell."""
        try:
            spec = inspect.getargspec(function)
        except TypeError:
            return None
        if not all(isinstance(name, str) for name in spec.args):
            return None  # a parameter that is taken apart
        defaults = spec.defaults or ()
        names = spec.args[len(spec.args) - len(defaults):]
        return spec.args, dict(zip(names, defaults)), spec.varargs is not None

    def qualified_name(cls):
        """The name under which a class is found in its module (Python 2 knows no nesting)."""
        return cls.__name__

    class _UTC(datetime.tzinfo):
        """UTC, as ``datetime.timezone.utc`` is on Python 3; pickles and copies as itself."""

        _zero = datetime.timedelta(0)

        def utcoffset(self, when):
            return self._zero

        def dst(self, when):
            return self._zero

        def tzname(self, when):
            return "UTC"

        def __repr__(self):
            return "clusterclient_sync.utc"

        def __reduce__(self):
            return "utc"

    utc = _UTC()

    def give_up_import_lock():
        """Let other threads import while this one waits for them; for :func:`take_import_lock`.

        Python 2 has one lock for all imports.  Who makes a client while a module is imported holds
        it, and the client's thread has to import as well.
        """
        depth = 0
        while imp.lock_held():
            try:
                imp.release_lock()
            except RuntimeError:  # another thread has it
                break
            depth += 1
        return depth

    def take_import_lock(depth):
        """Have again what was given up."""
        for _ in range(depth):
            imp.acquire_lock()

    def _quiet_at_exit(start):
        """Python 2 takes the modules apart under threads that still run: what they raise from then
        on says nothing.  (Python 3 ends them before that.)
        """
        ending = []
        atexit.register(ending.append, True)  # one of the last: it is registered early
        failures = BaseException

        def start_quietly(function, args):
            def run():
                try:
                    function(*args)
                except failures:
                    if not ending:
                        raise

            return start(run, ())

        return start_quietly

else:
    from time import monotonic

    def give_up_import_lock():
        """Python 3 has a lock for each module that is imported: others can be imported."""

    def take_import_lock(depth):
        """Nothing was given up."""

    builtins_module = "builtins"
    utc = datetime.timezone.utc

    def set_close_on_exec(fileno):
        """Descriptors are close-on-exec from birth on Python 3 (PEP 446)."""

    def parameter_names(function):
        """The names of a callable's parameters, without ``self``; empty where it tells none."""
        try:
            parameters = inspect.signature(function).parameters
        except (TypeError, ValueError):
            return []
        names = list(parameters)
        if inspect.isfunction(function) and names and names[0] == "self":
            names = names[1:]
        return names

    def positional_parameters(function):
        """``(names, defaults by name, whether it takes more)`` of what a function, not a method,
        takes by position; ``None`` where it does not tell."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            return None
        by_position = [one for one in parameters
                       if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
        defaults = {one.name: one.default for one in by_position if one.default is not one.empty}
        takes_more = any(one.kind == one.VAR_POSITIONAL for one in parameters)
        return [one.name for one in by_position], defaults, takes_more

    def qualified_name(cls):
        """The name under which a class is found in its module."""
        return cls.__qualname__


#: The id of the native thread that asks, also where gevent has patched ``threading``.
native_thread_id = monkey.get_original("thread" if PY2 else "_thread", "get_ident")
#: Starts a native thread, also there: ``start_thread(function, args)``.
start_thread = monkey.get_original("thread" if PY2 else "_thread", "start_new_thread")
if PY2:
    start_thread = _quiet_at_exit(start_thread)
#: Have the main thread raise KeyboardInterrupt.
interrupt_main = monkey.get_original("thread" if PY2 else "_thread", "interrupt_main")
#: Locks and sleep of native threads, likewise.
native_lock = monkey.get_original("thread" if PY2 else "_thread", "allocate_lock")
native_local = monkey.get_original("thread" if PY2 else "_thread", "_local")
native_sleep = monkey.get_original("time", "sleep")
#: Whether a thread that waits for a native lock is woken by signals, and may limit the wait.
LOCKS_HEED_SIGNALS = not PY2


def existing_hub():
    """The hub of the calling thread, or ``None``; asking for it by gevent's way would make one."""
    hub = get_hub_if_exists()
    return hub if hub is not None and hub.loop is not None else None


def uninterrupted(call, *args):
    """Call again what a signal interrupted: Python 2 leaves that to the caller."""
    while True:
        try:
            return call(*args)
        except (OSError, IOError, select.error) as error:
            if error.args[0] != errno.EINTR:
                raise


def native_poll():
    """An object that polls descriptors and blocks the native thread, also where gevent has patched
    ``select``.
    """
    return monkey.get_original("select", "poll")()



if hasattr(os, "register_at_fork"):

    def call_after_fork_in_child(function):
        """Have ``function()`` called in every child that this process forks."""
        os.register_at_fork(after_in_child=function)

else:
    _after_fork = []

    def _wrap_fork(fork):
        def fork_and_tell(*args, **kwargs):
            pid = fork(*args, **kwargs)
            if pid == 0:
                for function in list(_after_fork):
                    function()
            return pid

        fork_and_tell.__name__ = fork.__name__
        fork_and_tell.__doc__ = fork.__doc__
        fork_and_tell.clusterclient_wraps = fork
        return fork_and_tell

    def call_after_fork_in_child(function):
        """Have ``function()`` called in every child that this process forks.

        Python 2 has no fork hooks: ``os.fork`` is wrapped.  Where gevent patches it after that,
        its own wrapper calls ours or replaces it; the pid check of every descriptor's owner
        covers the second case.
        """
        _after_fork.append(function)
        if not hasattr(os.fork, "clusterclient_wraps"):
            os.fork = _wrap_fork(os.fork)


if PY2:
    ascii_bytes = str
    RecursionFailure = RuntimeError
    _encoded_surrogate = re.compile(b"\xed[\xa0-\xbf]").search

    def scannable(data):
        """UTF-8 bytes as the JSON scanner takes them fastest; fails for what is not UTF-8.

        On Python 2 that is as they are, but that the scanner lets halves of surrogate pairs pass.
        """
        if b"\xed" in data and _encoded_surrogate(data):
            raise ValueError("it is not UTF-8")
        return data

    def utf8_text(data):
        """The text of which ``data`` is the UTF-8 form, as strictly as on Python 3."""
        return scannable(data).decode("utf-8")

    def text_of_bytes(data):
        """A ``str`` of Python 2 as the text that it is where it is UTF-8, else ``None``."""
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return None

    def _merge_surrogates(text):
        return text.encode("utf-8").decode("utf-8")

else:
    ascii_bytes = operator.methodcaller("encode", "ascii")
    RecursionFailure = RecursionError
    utf8_text = scannable = operator.methodcaller("decode", "utf-8")

    def text_of_bytes(data):
        """``None``: bytes are never text on Python 3."""
        return None

    def _merge_surrogates(text):
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_SURROGATE = re.compile(u"[\ud800-\udfff]")
# Narrow builds of Python 2 hold every character beyond U+FFFF as a pair: only halves are wrong.
LONE_SURROGATE = re.compile(
    u"[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]")


def merge_surrogates(text):
    """The text with each pair of surrogates as the one character that the pair stands for."""
    return _merge_surrogates(text) if _SURROGATE.search(text) else text


# Whether int(text) refuses thousands of digits, which otherwise take quadratic time.
INT_PARSING_IS_BOUNDED = hasattr(sys, "get_int_max_str_digits")
