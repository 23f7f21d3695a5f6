"""What a gunicorn configuration may say of its cluster, checked where it says it."""

from __future__ import absolute_import, division, print_function

import collections
import re
import sys

import six

from ..exceptions import ConfigurationError
from ..options import check_options, show

_FUNCTION = re.compile(r"[^\s:]+:[^\s:]+$")

Settings = collections.namedtuple("Settings", "port host share_on_reload share_on_upgrade agent")


def checked(port, host, share_on_reload, share_on_upgrade, agent):
    """The settings, ``agent`` as text.

    :raises ConfigurationError: for a value of a wrong type or range, and for a port that is fixed
        and not to be shared.
    """
    check_options(dict({"host": host}, **({} if port is None else {"port": port})))
    for name, share in (("share_on_reload", share_on_reload),
                        ("share_on_upgrade", share_on_upgrade)):
        if share not in (None, True, False):
            raise ConfigurationError(
                u"%s must be True, False or None, not %s" % (name, show(share)))
    settings = Settings(port, host, share_on_reload, share_on_upgrade, _agent_path(agent))
    if port is not None:
        check_sharing(settings)
    return settings


def check_sharing(settings):
    """For a port that is fixed: nobody asks that other workers get another one.

    :raises ConfigurationError: somebody does.
    """
    for name in ("share_on_reload", "share_on_upgrade"):
        if getattr(settings, name) is False:
            raise ConfigurationError(
                u"%s=False needs a port of its own for the new workers, and the port is fixed: "
                u"leave out one of the two" % name)


def _agent_path(agent):
    """``module:function`` for what creates the agent's clients, or ``None``."""
    if agent is None:
        return None
    if isinstance(agent, six.string_types):
        if _FUNCTION.match(agent):
            return str(agent)
    elif callable(agent):
        module = getattr(agent, "__module__", None)
        name = getattr(agent, "__name__", "")
        # The agent is a program of its own: it has to find the function again.
        if module and getattr(sys.modules.get(module), name, None) is agent \
                and module not in ("__config__", "__main__"):
            return "%s:%s" % (module, name)
        raise ConfigurationError(
            u"the agent's function %s cannot be imported by its name: put it into a module of the "
            u"application, and give \"module:function\"" % show(agent))
    raise ConfigurationError(
        u"agent must be \"module:function\", or a function of a module, not %s" % show(agent))
