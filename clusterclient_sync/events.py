"""Events by name: what a data client and a cluster client tell whoever listens.

Handlers run one after the other, in the greenlet that emits.  One that raises is logged, emitted
as ``"error"``, and does not stop the others.
"""

from __future__ import absolute_import, division, print_function

import logging

from gevent import Timeout

logger = logging.getLogger(__name__)

# The state lives in the instance's dictionary under a name that no user class has, and is made at
# first use: a subclass may forget to call the constructor, and may use any other name for itself.
_STATE = "_clusterclient_events"


class _State(object):
    __slots__ = ("entries", "taps")

    def __init__(self):
        self.entries = {}  # event name -> list of _Entry, in the order in which they came
        self.taps = []


class _Entry(object):
    __slots__ = ("handler", "once")

    def __init__(self, handler, once):
        self.handler = handler
        self.once = once


class EventEmitter(object):
    """Lets handlers be registered for events, and calls them.

    Needs no constructor.  Handlers are compared by ``==``, so a bound method can be removed by
    naming it again.  One that is registered twice is called twice.
    """

    def on(self, name, handler=None):
        """Have ``handler(*args)`` called at every event of this name.

        :return: the handler; without one, a decorator that takes it.
        """
        return _register(self, name, handler, once=False)

    def once(self, name, handler=None):
        """As ``on``, for the next event of this name only."""
        return _register(self, name, handler, once=True)

    def off(self, name, handler=None):
        """Forget a handler of this event (all of its registrations); without one, all handlers."""
        entries = _state(self).entries
        kept = [] if handler is None else [
            entry for entry in entries.get(name, ()) if not entry.handler == handler]
        if kept:
            entries[name] = kept
        else:
            entries.pop(name, None)

    def emit(self, name, *args):
        """Call the handlers of this event, in the order in which they came.

        Handlers that come or go meanwhile count from the next event on.  An ``"error"`` that
        nobody handles is logged as a warning; it is never raised.

        :return: whether there was a handler.
        """
        return _emit(self, name, args)

    def handlers(self, name):
        """The handlers of this event, as a new list."""
        return [entry.handler for entry in _state(self).entries.get(name, ())]

    def tap(self, function):
        """Have ``function(name, args)`` called at every event of any name, before its handlers."""
        _state(self).taps.append(_callable(function))
        return function

    def untap(self, function):
        """Forget what ``tap`` was given."""
        state = _state(self)
        state.taps = [tap for tap in state.taps if not tap == function]


def _state(emitter):
    # setdefault is one step: greenlets and threads that race for it get the same state.
    return emitter.__dict__.setdefault(_STATE, _State())


def _callable(handler):
    if not callable(handler):
        raise TypeError("a handler must be callable, not %r" % (handler,))
    return handler


def _register(emitter, name, handler, once):
    def register(function):
        entries = _state(emitter).entries
        entries[name] = entries.get(name, []) + [_Entry(_callable(function), once)]
        return function

    return register if handler is None else register(handler)


def emit_apart(emitter, name, args):
    """Emit in a greenlet that does nothing else: a gevent Timeout that a handler lets out can only
    be its own, and stops the others as little as any exception.
    """
    return _emit(emitter, name, args, caught=(Exception, Timeout))


def _emit(emitter, name, args, logged=False, caught=Exception):
    state = _state(emitter)
    # Lists are replaced and never changed, so this one stays as it is while handlers run.
    entries = state.entries.get(name, [])
    for tap in state.taps:
        _run_tap(tap, name, args)
    for entry in entries:
        if not entry.once or _take(state, name, entry):
            _run(emitter, name, entry.handler, args, caught)
    if name == "error" and not entries and not logged:
        logger.warning("an error that nobody handles (use on(\"error\", handler)): %s",
                       ", ".join(_told(arg) for arg in args))
    return bool(entries)


def _take(state, name, entry):
    """Remove what is to be called once; False where an event inside an event was before us."""
    entries = state.entries.get(name, [])
    kept = [other for other in entries if other is not entry]
    if len(kept) == len(entries):
        return False
    if kept:
        state.entries[name] = kept
    else:
        del state.entries[name]
    return True


def _run(emitter, name, handler, args, caught):
    # Exception only, by default: a gevent Timeout, GreenletExit or KeyboardInterrupt is not the
    # handler's but that of the greenlet that emits, and passes.
    try:
        handler(*args)
    except caught as error:
        logger.exception("handler %r of the event %r raised", handler, name)
        if name != "error":
            _emit(emitter, "error", (error,), logged=True, caught=caught)


def _run_tap(tap, name, args):
    try:
        tap(name, args)
    except Exception:
        logger.exception("tap %r raised at the event %r", tap, name)


def _told(value):
    try:
        return repr(value)
    except Exception:
        return "<%s without a repr()>" % type(value).__name__
