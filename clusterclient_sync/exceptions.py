"""The errors that this library raises.

Every class derives from :class:`ClusterClientError`.  What an error knows beyond its sentence it
carries as attributes, which survive ``pickle``.  An error that ends a call says in ``outcome`` what
became of the call:

``"not_sent"``
    the leader never got it; making it again cannot do the work twice.
``"failed"``
    the leader answered, and this error is its answer.
``"unknown"``
    it was sent and no answer came: the work may have been done or not.

:func:`outcome` reads the same of any exception, also of one that the real client raised.
"""

from __future__ import absolute_import, division, print_function

import six

NOT_SENT = "not_sent"
FAILED = "failed"
UNKNOWN = "unknown"

_OUTCOME_ATTRIBUTE = "_clusterclient_outcome"


def _rebuild(cls, message, details):
    return cls(message, **details)


@six.python_2_unicode_compatible
class ClusterClientError(Exception):
    """The base of all errors of this library.

    :param message: one sentence: what happened, and what the user can do.
    :param details: what else is known; each becomes an attribute.  Every class lists in
        ``detail_names`` those that always exist (``None`` where unknown).
    """

    detail_names = ("outcome",)

    def __init__(self, message="", **details):
        super(ClusterClientError, self).__init__(message)
        self.message = message
        self._details = details
        for name in self.detail_names:
            setattr(self, name, None)
        for name, value in details.items():
            setattr(self, name, value)

    def __str__(self):
        return six.ensure_text(self.message)

    def details(self):
        """What it knows beyond its sentence, as a dict: what its class was given by name."""
        details = {name: getattr(self, name, value) for name, value in self._details.items()}
        for name in self.detail_names:
            if getattr(self, name, None) is not None:
                details[name] = getattr(self, name)
        return details

    def __reduce__(self):
        return _rebuild, (self.__class__, self.message, self.details())


class ConfigurationError(ClusterClientError):
    """A delegate, option or argument is not one that exists; the text says what is allowed."""


class ProtocolError(ClusterClientError):
    """A peer sent what is not our protocol; its connection is closed."""


class FrameTooLargeError(ProtocolError):
    """A frame is larger than the side that would receive it takes (``size``, ``limit``: bytes)."""

    detail_names = ("outcome", "size", "limit")


class TranscodeError(ClusterClientError):
    """A value has no place in the transcode, or received bytes are not of it.

    ``path`` names the place inside the value, as in ``$.users[3].born``.
    """

    detail_names = ("outcome", "path")


class ConnectionClosedError(ClusterClientError):
    """The connection to the leader was lost while the call was under way."""

    detail_names = ("outcome", "address")


class ResponseTimeoutError(ClusterClientError):
    """No answer came in time (``timeout``: seconds; ``method``: what was called)."""

    detail_names = ("outcome", "timeout", "method", "leader_pid")


class LeaderUnavailableError(ClusterClientError):
    """There is no leader to talk to.

    ``holder_pid`` and ``holder_command`` name the process that holds the port, where the system
    tells.
    """

    detail_names = ("outcome", "address", "holder_pid", "holder_command")


class PortOccupiedError(LeaderUnavailableError):
    """The port is held by something that we cannot share it with.

    Either its holder closes our connections or answers what is not our protocol, or this client is
    a forced leader (``is_leader=True``) and another process leads already.
    """


class ChannelNotFoundError(ClusterClientError):
    """The process that owns the port has no client of this name.

    ``owner_pid`` is that process, ``channels`` what it has.  Clients that do not live in the same
    processes may want a port of their own.
    """

    detail_names = ("outcome", "channel", "owner_pid", "channels")


class SubscribeTimeoutError(ClusterClientError):
    """No first value came within ``subscribe_timeout`` (``timeout``: seconds)."""

    detail_names = ("outcome", "registration", "timeout")


class ClientClosedError(ClusterClientError):
    """The client is closed; make a new one."""


@six.python_2_unicode_compatible
class RemoteError(ClusterClientError):
    """The real client raised what cannot be raised here as its own class.

    ``name``, ``message``, ``code`` and ``stack`` are those of the original, as its leader told
    them.
    """

    detail_names = ("outcome", "name", "code", "stack")

    def __str__(self):
        if self.name:
            return u"%s: %s" % (six.ensure_text(self.name), six.ensure_text(self.message))
        return six.ensure_text(self.message)


def outcome(error):
    """What became of the call that this exception ended.

    :return: ``"not_sent"``, ``"failed"``, ``"unknown"``, or ``None`` where the exception did not
        come from a call.
    """
    own = getattr(error, "outcome", None) if isinstance(error, ClusterClientError) else None
    return own or getattr(error, _OUTCOME_ATTRIBUTE, None)


def set_outcome(error, value):
    """Note on any exception what became of its call; returns the exception."""
    try:
        if isinstance(error, ClusterClientError):
            error.outcome = value
        else:
            setattr(error, _OUTCOME_ATTRIBUTE, value)
    except AttributeError:  # a class with __slots__ has no room for it
        pass
    return error
