"""What a gunicorn master tells its workers by environment variables, and takes back.

``CLUSTERCLIENT_PORT`` and ``CLUSTERCLIENT_IS_LEADER`` are the variables of the options ``port`` and
``is_leader``.  A user may have set them before gunicorn started; what is set here is marked, so
that a gunicorn which a worker starts (a deployment, say) does not take them for the user's wish.
"""

from __future__ import absolute_import, division, print_function

import os

from ..exceptions import ConfigurationError
from ..options import Options, show
from ._agent_process import IS_LEADER_VARIABLE

PORT_VARIABLE = "CLUSTERCLIENT_PORT"
_PORT_VARIABLES = (PORT_VARIABLE, "NODE_CLUSTER_CLIENT_PORT")
_MARK = "CLUSTERCLIENT_SET_BY_GUNICORN"
_OURS = (PORT_VARIABLE, IS_LEADER_VARIABLE)


class Environment(object):
    """The variables as they were when the master started."""

    def __init__(self):
        if os.environ.pop(_MARK, None) is not None:
            for name in _OURS:
                os.environ.pop(name, None)
        self._before = {name: os.environ.get(name) for name in _OURS}

    def fixed_port(self, cfg):
        """The port that the user's environment or gunicorn's ``raw_env`` names, or ``None``.

        :raises ConfigurationError: it names what is no port.
        """
        known = dict(os.environ)
        known.update((name, value or "") for name, value in self._before.items())
        known.update(cfg.env or {})
        for name in _PORT_VARIABLES:
            text = known.get(name, "").strip()
            if text:
                try:
                    return Options(port=int(text)).port
                except (ValueError, ConfigurationError):
                    raise ConfigurationError(
                        u"the environment variable %s must be a port, not %s" % (name, show(text)))
        return None

    def tell_workers(self, port, have_agent):
        """Set what workers that are forked from now on find."""
        os.environ[_MARK] = "1"
        os.environ[PORT_VARIABLE] = str(port)
        self._set(os.environ, IS_LEADER_VARIABLE,
                  "0" if have_agent else self._before[IS_LEADER_VARIABLE])

    def restore(self, environ):
        """Make these variables in ``environ`` what they were."""
        environ.pop(_MARK, None)
        for name, value in self._before.items():
            self._set(environ, name, value)

    @staticmethod
    def _set(environ, name, value):
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
