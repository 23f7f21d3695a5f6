"""How users describe a cluster client: ``cluster(Class).delegate(...).create(...)``."""

from __future__ import absolute_import, division, print_function

import functools
import hashlib
import inspect
import json

import six

from clusterclient_sync import delegation, registry
from clusterclient_sync.client import ClusterClient
from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.method_spec import (
    CLOSE,
    INVOKE,
    INVOKE_ONEWAY,
    PUBLISH,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Plan,
)
from clusterclient_sync.options import Options, check_options, show
from clusterclient_sync.protocol.transcodes import JSON


class ClientBuilder(object):
    """Collects what a cluster client shall be; :meth:`create` makes one, as often as it is called.

    :param client_class: the real client's class, or a factory: any other callable that makes one.
    :param options: options by name, as a dict, see :class:`~clusterclient_sync.options.Options`.
    :param base: the class of the clients that it makes.
    :raises ConfigurationError: for an option that does not exist or has a wrong value, and for a
        factory without the option ``name``.
    """

    def __init__(self, client_class, options=None, base=ClusterClient):
        options = dict(options or {})
        if not callable(client_class):
            raise ConfigurationError(
                u"cluster() takes the real client's class or a callable that makes one, not %s"
                % show(client_class))
        check_options(options)
        self._make = client_class
        self._class = client_class if inspect.isclass(client_class) else None
        if self._class is None and options.get("name") is None:
            raise ConfigurationError(
                u"the factory %s tells no name: give cluster() the option name, which is that of "
                u"the channel" % show(client_class))
        self._options = options
        self._base = base
        self._delegates = []
        self._overrides = {}

    def delegate(self, name, to=INVOKE, **how):
        """Say what becomes of calls of one method; a second time for a method counts instead.

        :param name: the method, of the real client and of the cluster client.
        :param to: ``"invoke"``, ``"invoke_oneway"``, ``"subscribe"``, ``"unsubscribe"``,
            ``"publish"`` or ``"close"``.
        :param how: ``timeout`` (seconds, instead of ``response_timeout``), ``idempotent`` (may be
            sent again after a failover), ``remote_name`` (its name on the wire), ``style``
            (``"return"`` or ``"callback"``), ``replay`` (of a publish, under a new leader).
        :return: the builder.
        :raises ConfigurationError: when the class has no such method, or anything here is not
            what is allowed.
        """
        spec = delegation.check_delegate(
            self._class, name, to, how, self._delegates, self._options.get("remote_names"))
        self._delegates = [other for other in self._delegates if other.name != spec.name]
        self._delegates.append(spec)
        return self

    def override(self, name, value):
        """Give every client an attribute of its own, instead of the real client's.

        :return: the builder.
        :raises ConfigurationError: for a reserved name and one with an underscore in front.
        """
        self._overrides[delegation.check_name(name, "override")] = value
        return self

    def create(self, *args, **kwargs):
        """Make a cluster client and start it; returns at once, see ``ready``.

        The arguments are the real client's.  The builder stays as it is.

        :raises ConfigurationError: when this process has a client of the same address and name
            with another class or other arguments, and for environment variables that hold no
            option's value.
        """
        options = self._make_options()
        plan = self._make_plan(options, args, kwargs)
        client = self._make_client(plan)
        registry.claim(client, registry.key_of(plan.name, options), plan)
        try:
            if plan.close_name is None:
                delegation.warn_without_close(plan.name, options)
            client._start(plan, options)
        except BaseException:
            registry.release(client)
            raise
        return client

    def _make_options(self):
        options = Options(**self._options)
        return options if options.name else options.replace(name=self._class.__name__)

    def _make_plan(self, options, args, kwargs):
        specs = delegation.complete(
            self._class, self._delegates, options.auto_generate, options.remote_names)
        return Plan(
            options.name, functools.partial(self._make, *args, **kwargs), specs,
            real_class=self._class, arguments=(args, kwargs),
            fingerprint=fingerprint(self._make, args, kwargs),
            close_name=delegation.close_name(self._class, specs))

    def _make_client(self, plan):
        methods = {"__doc__": getattr(self._class, "__doc__", None),
                   "__module__": self._base.__module__}
        for spec in plan.specs.values():
            if spec.name != spec.target or spec.target == PUBLISH:
                real_method = getattr(self._class, spec.name, None)
                methods[spec.name] = _like(real_method, spec.name, _FORWARD[spec.target](spec))
        name = "ClusterClient[%s]" % (self._class.__name__ if self._class else plan.name)
        kind = type(_native(name), (self._base,), methods)
        # Not kind(): a Leader's or Follower's constructor is what users call to get here.
        client = object.__new__(kind)
        ClusterClient.__init__(client)
        for attribute, value in self._overrides.items():
            setattr(client, attribute, value)
        return client


class _Cluster(object):
    """``cluster(client_class, **options)``, and what is done to clients that are there."""

    def __call__(self, client_class, **options):
        """Begin to describe a client that shares one real client with all processes of this host.

        :param client_class: the real client's class, or a factory: any other callable that makes
            one (then the option ``name`` is required).
        :param options: see :class:`~clusterclient_sync.options.Options`.
        :return: a :class:`ClientBuilder`.
        :raises ConfigurationError: for an option that does not exist or has a wrong value.
        """
        return ClientBuilder(client_class, options)

    def close(self, client, timeout=None):
        """Close a cluster client, as its own ``close`` does.

        :raises ConfigurationError: when it is no cluster client.
        """
        _check_client(client, u"close")
        client.close(timeout=timeout)

    def stand_back(self, client):
        """Lead no more while another can: resign, and later claim the port only when nobody else
        has for 200 ms.  For a process that is going to end; returns at once.

        :raises ConfigurationError: when it is no cluster client.
        """
        _check_client(client, u"stand_back")
        client._gate.stand_back()


def _check_client(client, function):
    if not isinstance(client, ClusterClient):
        raise ConfigurationError(
            u"cluster.%s() takes a client that create() gave, not %s" % (function, show(client)))


cluster = _Cluster()


def _forward_invoke(spec):
    def method(self, *args, **kwargs):
        return self._gate.invoke(spec, args, kwargs)

    return method


def _forward_oneway(spec):
    def method(self, *args, **kwargs):
        return self._gate.invoke_oneway(spec, args, kwargs)

    return method


def _forward_publish(spec):
    def method(self, registration):
        return self._gate.publish(spec, registration)

    return method


def _forward_subscribe(spec):
    def method(self, registration, listener=None):
        return self.subscribe(registration, listener)

    return method


def _forward_unsubscribe(spec):
    def method(self, registration, listener=None):
        return self.unsubscribe(registration, listener)

    return method


def _forward_close(spec):
    def method(self, timeout=None):
        return self.close(timeout=timeout)

    return method


_FORWARD = {
    INVOKE: _forward_invoke,
    INVOKE_ONEWAY: _forward_oneway,
    PUBLISH: _forward_publish,
    SUBSCRIBE: _forward_subscribe,
    UNSUBSCRIBE: _forward_unsubscribe,
    CLOSE: _forward_close,
}


def _like(real_method, name, method):
    """Give a method the name and the docstring of the real one.

    What functools.wraps does, for methods that lack some of it; and without ``__wrapped__``, which
    would show a signature without ``callback`` and call it binding.
    """
    method.__name__ = name
    method.__doc__ = getattr(real_method, "__doc__", None)
    return method


def _native(text):
    """A class's name as this Python takes it; what it does not take becomes ``?``."""
    return six.ensure_str(six.ensure_text(text).encode("ascii", "replace"))


def fingerprint(make, args, kwargs):
    """Text that is equal where processes make the same real client, on Python 2 and 3 alike.

    The module, the name, and a SHA-1 of the arguments; without that where they cannot be encoded.
    Python 2 knows no qualified names, so the name is the plain one.
    """
    where = make
    while isinstance(where, functools.partial):
        args, kwargs = where.args + tuple(args), dict(where.keywords or {}, **kwargs)
        where = where.func
    if not isinstance(getattr(where, "__name__", None), str):  # an instance that can be called
        where = type(where)
    named = u"%s:%s" % (getattr(where, "__module__", None), where.__name__)
    try:
        data = JSON.encode([list(args), kwargs])
        canonical = _canonical(_sorted(json.loads(data.decode("utf-8"))))
    except Exception:  # no place in the transcode, nested too deep, or user code that raised
        return named
    return u"%s:%s" % (named, hashlib.sha1(canonical.encode("ascii")).hexdigest())


def _canonical(value):
    return json.dumps(value, sort_keys=True)


def _sorted(value):
    """Encoded JSON without the order of dicts that travel as pairs; sets are sorted already."""
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {name: _sorted(item) for name, item in value.items()}
    if members.get("$type") == "dict":
        members["value"] = sorted(members["value"], key=_canonical)
    return members
