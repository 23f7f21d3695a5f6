"""A class around a cluster client, for libraries that offer their users a client of their own."""

from __future__ import absolute_import, division, print_function

from clusterclient_sync.builder import cluster
from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.options import is_text, show


class APIClientBase(object):
    """Derive an API class from this: ``self._client`` is a cluster client, made by the constructor.

    A subclass says of what, each as an attribute or a property:

    ``data_client_class``
        the real client's class (a factory as ``staticmethod(factory)``).
    ``delegates``
        method name -> target, or a dict ``{"to": target, ...}`` with what else
        :meth:`ClientBuilder.delegate` takes (``to`` is ``"invoke"`` where it is left out).
    ``cluster_options``
        the options by name.

    The constructor's arguments are the real client's, but for ``cluster_factory``: what is used in
    place of :func:`clusterclient_sync.cluster`.

    :raises ConfigurationError: as the builder does.
    """

    data_client_class = None
    delegates = {}
    cluster_options = {}

    def __init__(self, *args, **kwargs):
        factory = kwargs.pop("cluster_factory", None) or cluster
        if self.data_client_class is None:
            raise ConfigurationError(
                "%s has no data_client_class: set it to the real client's class"
                % type(self).__name__)
        builder = factory(self.data_client_class, **(self.cluster_options or {}))
        for name, how in _delegates_of(self):
            builder.delegate(name, **how)
        self._client = builder.create(*args, **kwargs)

    def __getattr__(self, name):
        # Runs only for what is not there.
        if name == "_client":
            raise ConfigurationError(
                "%s has no _client yet: call super().__init__(...) in its constructor first"
                % type(self).__name__)
        raise AttributeError("%r object has no attribute %r" % (type(self).__name__, name))

    def ready(self, timeout=None):
        """Block until the client is leader or follower; raises what went wrong."""
        return self._client.ready(timeout=timeout)

    @property
    def is_leader(self):
        """True, False, or None while it is neither."""
        return self._client.is_leader

    @property
    def epoch(self):
        """Of the leadership that it knows, or None."""
        return self._client.epoch

    def on(self, name, handler=None):
        """Have ``handler(*args)`` called at every event of this name; see ``EventEmitter.on``."""
        return self._client.on(name, handler)

    def once(self, name, handler=None):
        """As ``on``, for the next event of this name only."""
        return self._client.once(name, handler)

    def off(self, name, handler=None):
        """Forget a handler of this event; without one, all handlers."""
        return self._client.off(name, handler)

    def emit(self, name, *args):
        """Call the handlers of this event."""
        return self._client.emit(name, *args)

    def close(self, timeout=None):
        """Close the cluster client; see ``ClusterClient.close``."""
        return self._client.close(timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


def _delegates_of(api):
    delegates = api.delegates or {}
    if not isinstance(delegates, dict):
        raise ConfigurationError(
            u"delegates must be a dict of method names, not %s" % show(delegates))
    for name, how in delegates.items():
        if is_text(how):
            how = {"to": how}
        if not isinstance(how, dict) or not all(is_text(key) and key != "name" for key in how):
            raise ConfigurationError(
                u"delegates: %s must be a target or a dict of what delegate() takes, such as "
                u"{\"to\": \"invoke\"}, not %s" % (show(name), show(how)))
        yield name, how
