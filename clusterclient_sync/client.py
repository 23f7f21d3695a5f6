"""The cluster client: what ``create()`` gives and users hold in their hands."""

from __future__ import absolute_import, division, print_function

from . import states
from .exceptions import ConfigurationError
from .method_spec import INVOKE, INVOKE_ONEWAY, PUBLISH
from .runtime.gate import Gate


class ClusterClient(object):
    """A client that shares one real client with all processes of this host.

    Its delegated methods are those of the real client.  Made by :class:`~.builder.ClientBuilder`.
    """

    _gate = None

    def _start(self, plan, options):
        self._gate = Gate(self, plan, options)

    def ready(self, timeout=None):
        """Block until this process leads or follows.

        :param timeout: seconds; the option ``max_wait_time`` where omitted.
        :raises LeaderUnavailableError: no leader in time; the client goes on trying.
        :raises ChannelNotFoundError: the process that owns the port has no client of this name.
        :raises PortOccupiedError: what listens at the port is no cluster client; or another process
            leads, and this client must.
        :raises ClientClosedError: it is closed.
        :raises Exception: what the real client's start raised, here or at the leader.
        """
        self._gate.ready(timeout)

    @property
    def is_leader(self):
        """``True``, ``False``, or ``None`` while it is neither leader nor follower."""
        role = self._gate.role
        return None if role is None else role.is_leader

    @property
    def epoch(self):
        """The epoch of the leadership that it knows, or ``None``."""
        return self._gate.epoch

    def on(self, name, handler=None):
        """Have ``handler(*args)`` called for each event; a decorator without ``handler``.

        Events: ``error(exception)``, ``close()``, ``leader_change(role, epoch, pid)``, and those
        of the real client.
        """
        return self._register(self._gate.emitter.on, name, handler)

    def once(self, name, handler=None):
        """As :meth:`on`, for one event."""
        return self._register(self._gate.emitter.once, name, handler)

    def _register(self, register, name, handler):
        if handler is None:
            return lambda function: self._register(register, name, function)
        register(name, handler)
        self._gate.note_handler()
        return handler

    def off(self, name, handler=None):
        """Remove a handler, or all of an event."""
        return self._gate.emitter.off(name, handler)

    def emit(self, name, *args):
        """Call the handlers of an event of this client."""
        return self._gate.emitter.emit(name, *args)

    def call(self, name, args=(), kwargs=None, timeout=None, callback=None):
        """Call any delegated method.

        :param timeout: seconds, for this call; covers everything from now on.
        :param callback: called as ``callback(error, value)`` in a greenlet of its own; then this
            returns ``None`` at once.
        :return: the method's value; ``None`` for one-way methods and publishes.
        :raises ConfigurationError: no such method is delegated to a call.
        :raises TranscodeError: an argument cannot be sent.
        :raises ResponseTimeoutError: no answer in time.
        :raises LeaderUnavailableError: no leader in time.
        :raises ConnectionClosedError: the leader went while the call was under way.
        :raises ClientClosedError: the client is closed.
        :raises Exception: what the real client raised.
        """
        spec = self._gate.plan.specs.get(name)
        target = spec.target if spec is not None else None
        if target == INVOKE:
            return self._gate.invoke(spec, tuple(args), kwargs or {}, timeout, callback)
        if target == INVOKE_ONEWAY:
            return self._gate.invoke_oneway(spec, tuple(args), kwargs or {}, timeout, callback)
        if target == PUBLISH:
            return self._gate.publish(spec, *args, timeout=timeout, callback=callback)
        callable_names = sorted(
            known.name for known in self._gate.plan.specs.values()
            if known.target in (INVOKE, INVOKE_ONEWAY, PUBLISH))
        raise ConfigurationError("%r is not delegated to a call; these are: %s"
                                 % (name, ", ".join(callable_names) or "none"))

    def subscribe(self, registration, listener=None):
        """Have ``listener(value)`` called with the last value soon, and then with each change.

        :param registration: what to subscribe: JSON values, ``{"dataId": "a"}``.
        :return: the listener; a decorator where it is omitted.
        """
        if listener is None:
            return lambda function: self.subscribe(registration, function)
        self._gate.subscribe(registration, listener)
        return listener

    def unsubscribe(self, registration, listener=None):
        """Remove a listener, or all of this client's for this registration."""
        self._gate.unsubscribe(registration, listener)

    def publish(self, registration):
        """Publish; overridden where the real client has a method for it."""
        raise ConfigurationError(
            "%s has no method that is delegated to publish" % self._gate.plan.name)

    def resign(self):
        """Step down where this process leads, and follow; returns when the port is free."""
        self._gate.resign()

    def close(self, timeout=None):
        """Close the client; safe to call again, and inside a listener.

        :param timeout: seconds after which to return, while closing goes on.
        """
        if self._gate is not None:
            self._gate.close(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def __repr__(self):
        if self._gate is None:
            return "<%s>" % type(self).__name__
        state = self._gate.core.state
        return "<%s, %s%s>" % (type(self).__name__, state,
                               "" if state != states.FOLLOWING else " epoch %s" % self.epoch)
