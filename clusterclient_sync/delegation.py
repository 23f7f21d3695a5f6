"""From a client class and what the user delegates to the specs of its methods.

Everything that can be known of a class is checked where the user wrote it.  What cannot (a
factory makes the real client, or the class has ``__getattr__``) is checked when the real client
is there, by :func:`check_real`.
"""

from __future__ import absolute_import, division, print_function

import inspect

import six

from clusterclient_sync import _compat
from clusterclient_sync.data_client import DataClientBase
from clusterclient_sync.events import EventEmitter
from clusterclient_sync.exceptions import ConfigurationError
from clusterclient_sync.method_spec import (
    CALLBACK,
    CLOSE,
    INVOKE,
    INVOKE_ONEWAY,
    PUBLISH,
    RETURN,
    SUBSCRIBE,
    TARGETS,
    UNSUBSCRIBE,
    MethodSpec,
)
from clusterclient_sync.naming import remote_name_of
from clusterclient_sync.options import closest, is_seconds, is_text, show
from clusterclient_sync.parameters import parameters_of

#: What every cluster client has of its own.  The list is closed.
RESERVED = ("ready", "is_leader", "epoch", "on", "once", "off", "emit", "call", "resign", "close",
            "subscribe", "unsubscribe", "publish")

# Reserved names which the real client has too: they are delegated to themselves, or not at all.
_OWN_TARGETS = {name: name for name in (SUBSCRIBE, UNSUBSCRIBE, PUBLISH, CLOSE)}
# One real client has one method for each of these.
_SINGLE_TARGETS = (SUBSCRIBE, UNSUBSCRIBE, CLOSE)
# Only these travel under the name of their method.
_WIRE_TARGETS = (INVOKE, INVOKE_ONEWAY, PUBLISH)
_NOT_GENERATED = ("init",)
_BASES_OF_OURS = (DataClientBase, EventEmitter, object)

# name -> (what it must be, in words; whether a value is that)
_HOW = {
    "timeout": ("a number of seconds above 0, or None",
                lambda value: value is None or is_seconds(value)),
    "idempotent": ("True or False", lambda value: isinstance(value, bool)),
    # "close" never travels: a Node leader would obey it, and a Python leader refuses it.
    "remote_name": ('text that is not empty and not "close", or None',
                    lambda value: value is None or (is_text(value) and value not in ("", CLOSE))),
    "style": ('"return", "callback" or None, which looks for a parameter named callback',
              lambda value: value is None or (is_text(value) and value in (RETURN, CALLBACK))),
    "replay": ("True or False", lambda value: isinstance(value, bool)),
}


def check_delegate(real_class, name, to, how, others=(), remote_names=None):
    """One explicit delegate as a spec.

    :param real_class: the real client's class, or ``None`` for a factory.
    :param others: the specs that are there already.
    :param how: a dict, see ``_HOW``.
    :param remote_names: the option of that name.
    :raises ConfigurationError: it cannot be; the text says what is allowed.
    """
    name = check_name(name, "delegate")
    _check_target(name, to)
    _check_how(name, to, how)
    if real_class is not None:
        _check_method(real_class, name)
    spec = _make_spec(real_class, name, str(to), how, remote_names)
    _check_together(spec, [other for other in others if other.name != name])
    return spec


def complete(real_class, specs, auto_generate, remote_names=None):
    """All specs of a client by name: the explicit ones, and those that follow from the class.

    :param specs: the explicit ones, in their order.
    :param auto_generate: whether every public method of the class is delegated.
    """
    complete_specs = {spec.name: spec for spec in specs}
    if real_class is None:
        return complete_specs
    targets = [spec.target for spec in specs]
    names = public_methods(real_class) if auto_generate else []
    for name in names:
        target = _OWN_TARGETS.get(name, INVOKE)
        if name in complete_specs or (target in _SINGLE_TARGETS and target in targets):
            continue
        spec = _make_spec(real_class, name, target, {}, remote_names)
        _check_together(spec, complete_specs.values())
        complete_specs[name] = spec
    _add_unsubscribe(real_class, complete_specs)
    return complete_specs


def public_methods(real_class):
    """The names of the methods that auto-generation delegates, sorted.

    Those that the class or a base of it defines and that are not ours: no underscore in front, no
    reserved name (but what delegates to itself), no property, no class, nothing that only
    ``DataClientBase`` brings.
    """
    owners = {}
    for owner in inspect.getmro(real_class):
        for name in vars(owner):
            owners.setdefault(name, owner)
    return sorted(
        name for name, owner in owners.items()
        if not name.startswith("_")
        and name not in _NOT_GENERATED
        and (name not in RESERVED or name in _OWN_TARGETS)
        and owner not in _BASES_OF_OURS
        and _method_of(real_class, name) is not None)


def style_of(method):
    """``"callback"`` where a method has a parameter named ``callback``, else ``"return"``."""
    return CALLBACK if "callback" in _compat.parameter_names(method) else RETURN


def close_name(real_class, specs):
    """The real client's method that closes it: the delegated one, else ``close``, else ``None``.

    Of what cannot be known yet, ``close`` is the guess; :func:`check_real` tells.
    """
    for spec in specs.values():
        if spec.target == CLOSE:
            return spec.name
    if real_class is None or _may_have(real_class, CLOSE):
        return CLOSE
    return None


def warn_without_close(name, options):
    """Say that nothing closes the real client, unless the option ``close_with`` does."""
    if options.close_with is None:
        options.logger.warning(
            "the real client of %s has no close(): a leader that steps down cannot close it. "
            "Delegate a method to \"close\", or give the option close_with=callable(real)", name)


def check_real(plan, real, options=None):
    """Check a real client that was just made against what is delegated to it.

    :param options: where they are given and nothing closes the client of a factory, their logger
        gets a WARNING (for a class the builder gave it already).
    :return: the name of the method that closes it, or ``None``.
    :raises ConfigurationError: naming every method that it lacks.
    """
    lacking = sorted(name for name in plan.specs if not callable(getattr(real, name, None)))
    if lacking:
        raise ConfigurationError(
            u"the real client of %s (%s) has no method %s, which is delegated"
            % (plan.name, type(real).__name__, ", ".join(lacking)))
    if plan.close_name and callable(getattr(real, plan.close_name, None)):
        return plan.close_name
    if plan.close_name and options is not None:
        warn_without_close(plan.name, options)
    return None


def unsubscribe_method(plan, real):
    """The real client's method that ends a subscription, or ``None`` where it has none."""
    spec = plan.named(UNSUBSCRIBE)
    method = getattr(real, spec.name if spec else UNSUBSCRIBE, None)
    return method if callable(method) else None


def check_name(name, what):
    """A name that a client may be given, as a native string.

    :raises ConfigurationError: it is none, or one of the cluster client's own (where those that
        delegate to themselves are for ``_check_target`` to judge).
    """
    if not is_text(name) or not name:
        raise ConfigurationError(u"%s: the name must be text, not %s" % (what, show(name)))
    if name.startswith("_"):
        raise ConfigurationError(
            u"%s: %s starts with an underscore; those names are the cluster client's own"
            % (what, name))
    if name in RESERVED and not (what == "delegate" and name in _OWN_TARGETS):
        raise ConfigurationError(
            u"%s: %s is reserved for the cluster client itself; reserved are: %s"
            % (what, name, ", ".join(RESERVED)))
    return six.ensure_str(name)


def _check_target(name, to):
    if not is_text(to) or to not in TARGETS:
        raise ConfigurationError(
            u"delegate %s: there is no target %s%s; the targets are: %s"
            % (name, show(to), closest(to, TARGETS) if is_text(to) else "", ", ".join(TARGETS)))
    if _OWN_TARGETS.get(name, to) != to:
        raise ConfigurationError(
            u"delegate %s: it is reserved and can only be delegated to %s, not to %s"
            % (name, name, to))


def _check_how(name, to, how):
    for key in sorted(how):
        if key not in _HOW or (key == "replay" and to != PUBLISH):
            allowed = sorted(known for known in _HOW if known != "replay" or to == PUBLISH)
            raise ConfigurationError(
                u"delegate %s to %s: there is no %s=%s; allowed are: %s"
                % (name, to, key, closest(key, allowed), ", ".join(allowed)))
        what, accepts = _HOW[key]
        if not accepts(how[key]):
            raise ConfigurationError(
                u"delegate %s: %s must be %s, not %s" % (name, key, what, show(how[key])))


def _check_method(real_class, name):
    if _may_have(real_class, name):
        return
    known = public_methods(real_class)
    kind = "no method" if not hasattr(real_class, name) else "something that is no method as"
    raise ConfigurationError(
        u"delegate %s: the class %s has %s %s%s; its public methods are: %s"
        % (name, real_class.__name__, kind, name, closest(name, known),
           ", ".join(known) or "none"))


def _check_together(spec, others):
    for other in others:
        if spec.target == other.target and spec.target in _SINGLE_TARGETS:
            raise ConfigurationError(
                u"delegate %s: %s is delegated to %s already, and a real client has only one"
                % (spec.name, other.name, spec.target))
        if (spec.remote_name == other.remote_name
                and spec.target in _WIRE_TARGETS and other.target in _WIRE_TARGETS):
            raise ConfigurationError(
                u"delegate %s: %s has the name %s on the wire already; give one of them another "
                u"remote_name" % (spec.name, other.name, spec.remote_name))


def _add_unsubscribe(real_class, specs):
    """Where there is a subscribe there is an unsubscribe, delegated or not."""
    targets = [spec.target for spec in specs.values()]
    if (SUBSCRIBE in targets and UNSUBSCRIBE not in targets
            and _method_of(real_class, UNSUBSCRIBE) is not None):
        specs[UNSUBSCRIBE] = _make_spec(real_class, UNSUBSCRIBE, UNSUBSCRIBE, {}, None)


def _make_spec(real_class, name, target, how, remote_names):
    style = how.get("style")
    if style is None and real_class is not None:
        method = _method_of(real_class, name)
        style = None if method is None else style_of(method)
    details = dict(how, style=style if style is None else str(style))
    if details.get("remote_name") is not None:
        details["remote_name"] = six.ensure_str(details["remote_name"])
    elif target in _WIRE_TARGETS:
        details["remote_name"] = remote_name_of(name, remote_names)
    if real_class is not None and target in _WIRE_TARGETS:
        details["parameters"] = parameters_of(real_class, name, details["style"])
    return MethodSpec(name, target, **details)


def _method_of(real_class, name):
    """What the class has under this name where it can be called as a method, else ``None``."""
    value = getattr(real_class, name, None)
    return value if callable(value) and not inspect.isclass(value) else None


def _may_have(real_class, name):
    return (_method_of(real_class, name) is not None
            or (not hasattr(real_class, name) and _is_dynamic(real_class)))


def _is_dynamic(real_class):
    """Whether instances may have methods that their class does not show."""
    return any("__getattr__" in vars(owner) for owner in inspect.getmro(real_class))
