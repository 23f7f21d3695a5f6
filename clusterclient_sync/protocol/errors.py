"""Exceptions to plain values and back: how a call that failed at the leader fails at its caller.

A failed call travels as a dict that any transcode takes: ``name``, ``message``, ``stack`` and
``code``, as Node's errors have them, and for Python peers one member ``python`` from which the same
class can be rebuilt.  The class is only looked up among what is imported already, must be an
Exception, and its constructor never runs, so a peer can choose among the errors of this process and
do nothing else.  What cannot be rebuilt is a :class:`~clusterclient_sync.exceptions.RemoteError`.
"""

from __future__ import absolute_import, division, print_function

import re
import sys
import traceback
import types

import six
from six.moves import builtins

from .._compat import LONE_SURROGATE, builtins_module, merge_surrogates, qualified_name
from ..exceptions import (
    _OUTCOME_ATTRIBUTE, FAILED, NOT_SENT, UNKNOWN, ClusterClientError, RemoteError, outcome,
    set_outcome)

_BUILTIN_MODULES = ("builtins", "exceptions", "__builtin__")
# Of this process, not of the error.
_LOCAL_STATE = frozenset([_OUTCOME_ATTRIBUTE, "_details", "remote_stack", "__cause__",
                          "__context__", "__traceback__"])
_DESCRIBED = ("name", "message", "stack", "code", "python")
_ATTRIBUTE_NAME = re.compile(u"[A-Za-z][A-Za-z0-9_]*\\Z")


@six.python_2_unicode_compatible
class RemoteTraceback(Exception):
    """The traceback of the leader, as text: the cause of an error that was rebuilt here."""

    def __str__(self):
        return self.args[0]


# --- what an exception says ------------------------------------------------------------------

def message_of(error):
    """The message of any exception, as text that can be encoded; never fails."""
    message = None
    if isinstance(error, ClusterClientError):
        message = _text(vars(error).get("message"))
    try:
        return _clean(six.text_type(error)) if message is None else message
    except Exception:  # its own __str__, or bytes that are not ASCII on Python 2
        pass
    try:
        return _text(bytes(error)) or u""
    except Exception:
        return u"<unprintable %s>" % _text(error.__class__.__name__)


def description_of(error, stack=None):
    """``name``, ``message``, ``stack`` (all text) and ``code`` (text, integer or None) of any
    exception; never fails."""
    name = None
    if isinstance(error, RemoteError):  # another process has described it
        name = vars(error).get("name")
        stack = vars(error).get("stack") if stack is None else stack
    return {
        "name": _text(name) or _text(error.__class__.__name__),
        "message": message_of(error),
        "stack": _stack_of(error) if stack is None else _text(stack),
        "code": _code_of(error),
    }


def state_of(error):
    """The attributes of an exception as pairs: its ``__dict__`` and its slots.

    What belongs to this process, such as the cause, is left out, and so is what the class of a
    built-in exception keeps for itself (that is in its arguments).
    """
    state = [(name, value) for name, value in vars(error).items() if name not in _LOCAL_STATE]
    for name, slot in _slots(error.__class__).items():
        try:
            state.append((name, slot.__get__(error)))
        except AttributeError:  # never set
            pass
    return state


def _text(value):
    """Text, or bytes as text, such that every transcode takes it; else ``None``."""
    if isinstance(value, six.text_type):
        return _clean(value)
    if isinstance(value, six.binary_type):
        return _clean(value.decode("utf-8", "replace"))
    return None


def _clean(text):
    return LONE_SURROGATE.sub(u"\ufffd", merge_surrogates(text))


def _code_of(error):
    for name in ("code", "errno"):
        try:
            code = getattr(error, name, None)
        except Exception:  # a property of the user's
            continue
        if isinstance(code, six.integer_types) and not isinstance(code, bool):
            return int(code)
        if isinstance(code, six.string_types):
            return _text(code)
    return None


def _stack_of(error):
    trace = getattr(error, "__traceback__", None)
    if trace is None and sys.exc_info()[1] is error:  # Python 2
        trace = sys.exc_info()[2]
    try:
        lines = traceback.format_exception(error.__class__, error, trace)
        return u"".join([_text(line) for line in lines])
    except Exception:  # the error's own code again
        return u""


def _slots(cls):
    """Name -> descriptor of the slots that Python classes among the bases define."""
    slots = {}
    for base in getattr(cls, "__mro__", ()):
        if "__slots__" in vars(base):
            for name, member in vars(base).items():
                if isinstance(member, types.MemberDescriptorType):
                    slots.setdefault(name, member)
    return slots


# --- to a dict -------------------------------------------------------------------------------

def dump_error(exception, encodable, stack=None):
    """An exception as a dict; never fails.

    :param encodable: ``encodable(value) -> bool`` says whether the transcode takes a value.
    :param stack: its traceback as text, where that is known better than from the exception.
    :return: ``{name, message, stack, code}``, and ``python`` where the class can be found from its
        module and the transcode takes the arguments; attributes that it does not take are left out.
    """
    dumped = description_of(exception, stack)
    if not _takes(encodable, dumped["code"]):
        dumped["code"] = None
    try:
        python = _python_member(exception, encodable)
    except Exception:  # a broken __dict__, metaclass, ...
        python = None
    if python is not None:
        dumped["python"] = python
    return dumped


def _python_member(exception, encodable):
    cls = exception.__class__
    module, qualname = cls.__module__, qualified_name(cls)
    if _find_class(module, qualname) is not cls:  # no Exception, or local, or another of that name
        return None
    # Not exception.args: OSError keeps its filename apart from them.
    args = list(_builtin_base(cls).__reduce__(exception)[1])
    if not _takes(encodable, args):
        return None
    attributes = {name: value for name, value in state_of(exception) if _takes(encodable, value)}
    return {"module": module, "qualname": qualname, "args": args, "attributes": attributes,
            "builtins": [base.__name__ for base in cls.__mro__
                         if _is_builtin(base) and issubclass(base, BaseException)]}


def _takes(encodable, value):
    try:
        return bool(encodable(value))
    except Exception:
        return False


def _is_builtin(cls):
    return cls.__module__ == builtins_module and vars(builtins).get(cls.__name__) is cls


def _builtin_base(cls):
    """The nearest built-in class by layout: the one whose ``__new__`` makes such instances."""
    while not _is_builtin(cls):
        cls = cls.__base__
    return cls


def _find_class(module, qualname):
    """The Exception class of that name among what is imported, or ``None``.

    Runs no code: a module's or class's ``__getattr__`` could import something.
    """
    scope = vars(builtins) if module in _BUILTIN_MODULES else vars(sys.modules[module])
    found = None
    for part in qualname.split("."):
        found = scope.get(part)
        scope = vars(found) if isinstance(found, type) else {}
    return found if isinstance(found, type) and issubclass(found, Exception) else None


# --- from a dict -----------------------------------------------------------------------------

def load_error(dumped):
    """The exception that a peer told of; never raises.

    :param dumped: what :func:`dump_error` made, or Node's ``{name, message, stack, code}``, or
        anything at all.
    :return: the original class where it can be rebuilt, with the leader's traceback in
        ``remote_stack`` and as its ``__cause__``; else a RemoteError with the traceback in
        ``stack``.  Its outcome is ``"failed"``, or what one of our own errors says itself.
    """
    try:
        return _rebuilt(dumped)
    except Exception:  # any malformed or foreign member, any class that resists
        pass
    error = dumped if isinstance(dumped, RemoteError) else remote_error(dumped)
    return set_outcome(error, FAILED)


def remote_error(dumped):
    """A RemoteError from a peer's dict, whatever is in it; members that are no description of it
    become attributes, as Node's errors have them."""
    if not isinstance(dumped, dict):
        return RemoteError(u"The peer told of an error in a form that is not known here.")
    details = {str(name): value for name, value in dumped.items() if _is_free_name(name)}
    code = dumped.get("code")
    if isinstance(code, bool) or not isinstance(code, six.string_types + six.integer_types):
        code = None
    return RemoteError(_text(dumped.get("message")) or u"", name=_text(dumped.get("name")),
                       code=code, stack=_text(dumped.get("stack")), **details)


def _is_free_name(name):
    """Whether an attribute of that name says nothing that a RemoteError says otherwise."""
    return (isinstance(name, six.string_types) and _ATTRIBUTE_NAME.match(name) is not None
            and name not in _DESCRIBED and name not in ("self", "outcome")
            and not hasattr(RemoteError, name))


def _rebuilt(dumped):
    python = dumped["python"]
    cls = _class_of(python)
    error = _made(cls, python["args"])
    attributes = {six.ensure_str(name): value for name, value in python["attributes"].items()
                  if name not in _LOCAL_STATE and not callable(getattr(cls, name, None))}
    slots = _slots(cls)
    for name, value in attributes.items():
        if name in slots:
            slots[name].__set__(error, value)
        else:
            vars(error)[name] = value
    stack = _text(dumped.get("stack"))
    if isinstance(error, ClusterClientError):
        _complete(error, attributes, stack)
    vars(error)["remote_stack"] = stack
    if stack:
        BaseException.__setattr__(error, "__cause__", RemoteTraceback(stack))
    if outcome(error) not in (NOT_SENT, FAILED, UNKNOWN):
        # Past a __setattr__ that forbids it, as frozen classes have.
        ours = isinstance(error, ClusterClientError)
        vars(error)["outcome" if ours else _OUTCOME_ATTRIBUTE] = FAILED
    return error


def _class_of(python):
    module, qualname = python["module"], python["qualname"]
    cls = _find_class(module, qualname)
    if cls is None and module in _BUILTIN_MODULES:
        # This Python lacks it.  A plain Exception would say less than a RemoteError.
        found = [_find_class(builtins_module, name) for name in python["builtins"]]
        cls = ([known for known in found if known not in (None, Exception)] or [None])[0]
    if cls is None:
        raise LookupError(qualname)
    return cls


def _made(cls, args):
    """An instance whose own constructor did not run, only that of its nearest built-in base."""
    if not isinstance(args, list):
        raise TypeError("the arguments are no list")
    base = _builtin_base(cls)
    if issubclass(base, UnicodeError) and base is not UnicodeError:
        args = _unicode_error_args(base, args)
    error = base.__new__(cls, *args)
    base.__init__(error, *args)
    if not isinstance(error, cls):
        raise TypeError("the arguments make another class")
    return error


def _unicode_error_args(base, args):
    """Its C code takes native text and bytes only, and Python 2 may have sent either as text."""
    args = [six.ensure_str(arg) if isinstance(arg, (six.text_type, six.binary_type)) else arg
            for arg in args[:-4]] + list(args[-4:-1]) + [six.ensure_str(args[-1])]
    if base is UnicodeDecodeError and isinstance(args[1], six.text_type):
        args[1] = args[1].encode("utf-8")
    return args


def _complete(error, attributes, stack):
    """Give an error of ours what its constructor would have given it."""
    state = vars(error)
    state.pop("detail_names", None)  # the class says which there are
    state.setdefault("message", u"")
    for name in type(error).detail_names:
        state.setdefault(name, None)
    state["_details"] = {name: value for name, value in attributes.items() if name != "message"}
    if isinstance(error, RemoteError) and error.stack is None:
        error.stack = stack
    six.text_type(error)  # a message or name that is no text ends the attempt here
