"""What a delegated method is to the cluster client: one immutable record per method."""

from __future__ import absolute_import, division, print_function

SUBSCRIBE = "subscribe"
UNSUBSCRIBE = "unsubscribe"
PUBLISH = "publish"
INVOKE = "invoke"
INVOKE_ONEWAY = "invoke_oneway"
CLOSE = "close"

TARGETS = (SUBSCRIBE, UNSUBSCRIBE, PUBLISH, INVOKE, INVOKE_ONEWAY, CLOSE)

RETURN = "return"
CALLBACK = "callback"


class MethodSpec(object):
    """How calls of one method travel.

    :param name: the method of the real client, and of the cluster client.
    :param target: one of ``TARGETS``.
    :param remote_name: its name on the wire.
    :param timeout: seconds, or ``None`` for the option ``response_timeout``.
    :param idempotent: whether it may be sent again after a failover.
    :param style: ``"return"``, ``"callback"`` (the real method takes a parameter ``callback``), or
        ``None`` while the real client's class is not known (a factory): then the leader finds out.
    :param replay: for a publish: whether it is made again under a new leader.
    :param parameters: what it takes by position, a :class:`~.parameters.Parameters`, or
        ``None`` where that is not known.

    ``heads`` is where calls keep what they send ahead of so many arguments.
    """

    __slots__ = ("name", "target", "remote_name", "timeout", "idempotent", "style", "replay",
                 "parameters", "heads")

    def __init__(self, name, target=INVOKE, remote_name=None, timeout=None, idempotent=False,
                 style=None, replay=True, parameters=None):
        self.name = name
        self.target = target
        self.remote_name = remote_name or name
        self.timeout = timeout
        self.idempotent = idempotent
        self.style = style
        self.replay = replay
        self.parameters = parameters
        self.heads = {}

    def __repr__(self):
        return "MethodSpec(%r, %r)" % (self.name, self.target)


class Plan(object):
    """What a builder hands to the core: everything about one kind of client, ready to run.

    :param name: the channel's name.
    :param make_real: a callable without arguments that makes the real client (may block).
    :param specs: method name -> :class:`MethodSpec`.
    :param real_class: the real client's class, or ``None`` for a factory.
    :param arguments: ``(args, kwargs)`` of the real client, for comparison in this process.
    :param fingerprint: text that Python processes compare at registration.
    :param close_name: the real client's method that closes it, or ``None``.
    """

    __slots__ = ("name", "make_real", "specs", "real_class", "arguments", "fingerprint",
                 "close_name")

    def __init__(self, name, make_real, specs, real_class=None, arguments=((), {}),
                 fingerprint=None, close_name="close"):
        self.name = name
        self.make_real = make_real
        self.specs = specs
        self.real_class = real_class
        self.arguments = arguments
        self.fingerprint = fingerprint
        self.close_name = close_name

    def named(self, target):
        """The spec that is delegated to ``target``, or ``None``."""
        for spec in self.specs.values():
            if spec.target == target:
                return spec
        return None
