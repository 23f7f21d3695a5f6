"""Cluster clients in a forced role: ``Leader(Class, ...)`` and ``Follower(Class, ...)``."""

from __future__ import absolute_import, division, print_function

from clusterclient_sync.builder import ClientBuilder
from clusterclient_sync.client import ClusterClient
from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.options import show


class Leader(ClusterClient):
    """The client that :func:`cluster` makes with ``is_leader=True``: it leads, or ``ready`` raises.

    :param client_class: the real client's class or a factory.
    :param args: the real client's arguments; ``kwargs`` likewise.
    :param cluster_options: (by name) the options, as a dict.
    :raises ConfigurationError: as the builder does, and for an ``is_leader`` that contradicts.
    """

    def __new__(cls, client_class, *args, **kwargs):
        return _create(cls, True, client_class, args, kwargs)

    def __init__(self, client_class, *args, **kwargs):
        """Nothing is left to do: Python calls this on the client that ``__new__`` started."""


class Follower(ClusterClient):
    """The client that :func:`cluster` makes with ``is_leader=False``: it waits for a leader.

    :param client_class: the real client's class or a factory.
    :param args: the real client's arguments; ``kwargs`` likewise.
    :param cluster_options: (by name) the options, as a dict.
    :raises ConfigurationError: as the builder does, and for an ``is_leader`` that contradicts.
    """

    def __new__(cls, client_class, *args, **kwargs):
        return _create(cls, False, client_class, args, kwargs)

    def __init__(self, client_class, *args, **kwargs):
        """Nothing is left to do: Python calls this on the client that ``__new__`` started."""


def _create(base, is_leader, client_class, args, kwargs):
    options = kwargs.pop("cluster_options", None) or {}
    if not isinstance(options, dict):
        raise ConfigurationError(u"cluster_options must be a dict, not %s" % show(options))
    asked = options.get("is_leader")
    if asked is not None and asked is not is_leader:
        raise ConfigurationError(
            u"%s means is_leader=%s, but cluster_options say is_leader=%s; leave it out"
            % (base.__name__, is_leader, show(asked)))
    builder = ClientBuilder(client_class, dict(options, is_leader=is_leader), base=base)
    return builder.create(*args, **kwargs)
