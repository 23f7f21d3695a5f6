"""One call at the real client: decode, run, encode, answer.

An invocation is a job of a worker pool.  Its method may return (the usual), may block its worker,
or may take a callback (callback style): then the worker is free as soon as the method returned, and
the callback, from whatever greenlet or thread it is called, completes the invocation.

A timeout on the caller's side never interrupts the method.  What it returns too late is dropped,
and logged.
"""

from __future__ import absolute_import, division, print_function

import sys
import traceback

import six

from .._compat import monotonic
from ..exceptions import FrameTooLargeError, RemoteError, TranscodeError
from ..protocol import errors, frames, messages
from ..protocol.negotiation import EPOCH

#: What ``Host.perform`` gives where a callback will complete the invocation.
LATER = object()


class Invocation(object):
    """A call in work; subclasses know where the arguments come from and where the answer goes.

    :param host: the :class:`~.host.Host` whose real client is called.
    :param method: the method's name on the wire.
    :param late_after: monotonic seconds after which its caller has given up, or ``None``.

    ``wait`` is that of a caller in this process, or ``None``.
    """

    __slots__ = ("host", "method", "is_complete", "is_begun", "slot", "late_after")
    is_local = False

    def __init__(self, host, method, late_after):
        self.host = host
        self.method = method
        self.is_complete = False
        self.is_begun = False
        self.slot = None
        self.late_after = late_after

    def __call__(self):
        """Run it, in a worker.  Returns the wait that it resolved, for a caller in this process."""
        if self.host.is_closed:
            return None  # the end of the role, or of the connection, is what its caller learns
        self.is_begun = True
        try:
            args, kwargs = self.arguments()
            value = self.host.perform(self, args, kwargs)
        except KeyboardInterrupt as error:
            wait = self.complete_with_error(error, sys.exc_info())
            if wait is not None:
                wait.wake_soon()
            raise  # the user at the terminal means the process
        except BaseException as error:  # a SystemExit of the real client's is an answer, too
            return self.complete_with_error(error, sys.exc_info())
        if value is not LATER:
            return self.complete(value)

    def arguments(self):
        """``(args, kwargs)`` of the real call; ``None`` for no ``kwargs``."""
        raise NotImplementedError

    def complete(self, value):
        """The method returned (or called back): answer, once, where the caller still waits.  It is
        in work until the answer is on its way: a leader that goes waits for that.
        """
        if self.is_complete:
            return None
        self.is_complete = True
        try:
            if self.late_after is not None and monotonic() > self.late_after:
                self._tell_late()
                return None
            try:
                self.answer(value)
            except TranscodeError as error:
                self.answer_error(error, sys.exc_info())
            return self.wait
        finally:
            self.ends()

    def complete_with_error(self, error, exc_info=None):
        """The method raised (or called back with an error); otherwise as :meth:`complete`."""
        if self.is_complete:
            return None
        self.is_complete = True
        try:
            if self.late_after is not None and monotonic() > self.late_after:
                self._tell_late()
                return None
            self.answer_error(error, exc_info)
            return self.wait
        finally:
            self.ends()

    def _tell_late(self):
        self.host.options.logger.warning(
            "%s returned after its caller's timeout; what it returned is dropped", self.method)

    def ends(self):
        """It is not in work any more."""
        self.host.invocation_ends(self)

    def give_up(self):
        """Whatever it will give is dropped; whether it was not complete yet."""
        if self.is_complete:
            return False
        self.is_complete = True
        self.ends()
        return True

    def expire(self):
        """A callback never came: the caller has given up long since."""
        if self.give_up():
            self.host.options.logger.warning("%s never called its callback", self.method)

    def transcode(self):
        """The transcode of the caller."""
        raise NotImplementedError

    def answer(self, value):
        """Send the value to the caller.

        :raises TranscodeError: it has no place in the caller's transcode; nothing was sent.
        """
        raise NotImplementedError

    def answer_error(self, error, exc_info):
        """Send an error to the caller."""
        raise NotImplementedError


class LocalInvocation(Invocation):
    """A call from this process; its values go through the transcode all the same.

    ``wait.value`` becomes ``(encoded value, None)`` or ``(None, encoded dumped error)``.
    """

    __slots__ = ("call", "wait", "_transcode")
    is_local = True

    def __init__(self, host, call, wait, transcode):
        late_after = None if wait is None else call.deadline
        super(LocalInvocation, self).__init__(host, call.spec.remote_name, late_after)
        self.call = call
        self.wait = wait
        self._transcode = transcode
        host.local_in_work += 1

    def arguments(self):
        decode = self._transcode.decode
        values = [decode(data) for data in self.call.encoded(self._transcode)]
        return values, text_keys(values.pop()) if self.call.kwargs else None

    def transcode(self):
        return self._transcode

    def answer(self, value):
        data = self._transcode.encode(value)
        if self.wait is not None:
            self.wait.settle((data, None))

    def answer_error(self, error, exc_info):
        if self.wait is None:
            _log_oneway_error(self.host.options.logger, self.method, error, exc_info)
        else:
            dumped = dump(error, self._transcode, exc_info)
            self.wait.settle((None, self._transcode.encode(dumped)))


class RemoteInvocation(Invocation):
    """A call that came over a connection.

    :param session: the :class:`~.session.FollowerSession` that it came from.
    :param number: its place among the calls of that session.
    """

    __slots__ = ("session", "frame", "is_oneway", "number")
    wait = None

    def __init__(self, host, session, frame, number=0):
        # As Invocation.__init__, without the call: there is one for each call.
        head = frame.head.call
        self.host = host
        self.method = head.method
        self.is_complete = self.is_begun = False
        self.slot = self.late_after = None
        if frame.timeout_ms > 0 and not head.is_oneway:
            self.late_after = monotonic() + frame.timeout_ms / 1000.0
        self.session = session
        self.frame = frame
        self.is_oneway = head.is_oneway
        self.number = number

    def arguments(self):
        frame = self.frame
        head = frame.head.call
        encoded = messages.unpack_arguments(frame.body, head.count)
        if not encoded:
            return (), None  # and no guess at the transcode, where it is not known
        decode = (self.session.peer.transcode or self.transcode()).decode
        frame.body = b""  # long ones are not kept twice
        values = []
        encoded.reverse()
        while encoded:
            values.append(decode(encoded.pop()))
        if head.has_kwargs:
            return values, text_keys(values.pop())
        return values, None

    def transcode(self):
        return self.session.peer.transcode or self.session.transcode_for(self.frame)

    def ends(self):
        self.session.work_ends(self)
        self.host.invocation_ends(self)

    def answer(self, value):
        transcode = self.session.peer.transcode
        if transcode is not None:
            data = transcode.encode(value)
        elif value is None:
            data = b""  # undefined, whatever the follower's transcode is
        else:
            data = self.transcode().encode(value)
        if not self.is_oneway:
            self._respond(True, data)

    def answer_error(self, error, exc_info):
        if self.is_oneway:
            _log_oneway_error(self.host.options.logger, self.method, error, exc_info)
        else:
            self._respond(False, self._dumped(error, exc_info))

    def _dumped(self, error, exc_info=None):
        transcode = self.transcode()
        return transcode.encode(dump(error, transcode, exc_info, self.session.peer.is_python))

    def _respond(self, success, data):
        session = self.session
        connection, peer = session.connection, session.peer
        if connection.is_closed:
            return
        epoch = session.leader.epoch if EPOCH in peer.can else None
        head = messages.invoke_result(success, epoch)
        size = len(head) + len(data)
        if peer.max_frame_size is not None and size > peer.max_frame_size:
            head = messages.invoke_result(False, epoch)
            data = self._dumped(self._too_large("result" if success else "error", size))
            if not peer.takes(len(head) + len(data)):
                self.host.options.logger.warning(
                    "%s cannot be answered: the caller takes no more than %d bytes",
                    self.method, peer.max_frame_size)
                return
        frame = self.frame
        connection.answer(frames.encode(
            frames.RESPONSE, frame.id, frame.timeout_ms, head, (data,)))

    def _too_large(self, what, size):
        limit = self.session.peer.max_frame_size
        return FrameTooLargeError(
            "the %s of %s has %d bytes, and the caller takes %d"
            % (what, self.method, size, limit), size=size, limit=limit)


def dump(error, transcode, exc_info=None, is_python=True):
    """An exception as a dict that ``transcode`` takes; only the plain members for Node."""
    def encodable(value):
        try:
            transcode.encode(value)
        except TranscodeError:
            return False
        return True

    stack = u"".join(six.ensure_text(line, errors="replace") for line in
                     traceback.format_exception(*exc_info)) if exc_info and exc_info[0] else None
    dumped = errors.dump_error(error, encodable, stack)
    if not is_python:
        # What is not known is not there, as in an error of Node's own.
        return {name: value for name, value in dumped.items()
                if name != "python" and value is not None}
    return dumped


def as_exception(error):
    """What a callback passed as its error, as an exception."""
    if isinstance(error, BaseException):
        return error
    return RemoteError(six.text_type(error), name=type(error).__name__)


def text_keys(kwargs):
    """Keyword arguments as this Python takes them (``str`` names)."""
    if not isinstance(kwargs, dict):
        raise TranscodeError("the keyword arguments of a call are no dict")
    return {six.ensure_str(name): value for name, value in kwargs.items()}


def _log_oneway_error(logger, method, error, exc_info):
    # What cannot be decoded is the peer's fault: where in this code that was noticed says nothing.
    is_ours = exc_info and exc_info[0] and not isinstance(error, TranscodeError)
    logger.warning("The one-way call of %s failed: %r", method, error,
                   exc_info=exc_info if is_ours else None)

