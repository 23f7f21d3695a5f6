"""What a gunicorn master keeps for its workers: their port, and their agent.

Workers that share an address are a *generation*.  It begins with the master, and a new one begins
at a reload (HUP) where it is not to share the old one's address; the old one's port is kept until
its last worker has ended.  In an upgrade (USR2) the old master hands over what the new one needs to
share; the new one, whose configuration may be newer, decides whether it does.
"""

from __future__ import absolute_import, division, print_function

import json
import os
import stat

from ..forked import only_prepare
from . import _descriptors, _gunicorn_port
from ._gunicorn_agent import Turns
from ._gunicorn_environment import Environment
from ._gunicorn_settings import check_sharing

_UPGRADE_VARIABLE = "CLUSTERCLIENT_UPGRADE"
#: How long (seconds) a master that ends waits for its agents, over the time that they are given.
_PATIENCE = 1.0


class _Generation(object):
    """One address and its agent; ``reservation`` is ``None`` where others hold the port."""

    def __init__(self, port, reservation, turns):
        self.port = port
        self.reservation = reservation
        self.turns = turns
        self.agent_life = None  # the agent lives as long as this descriptor is open

    def descriptors(self):
        return [self.reservation and self.reservation.fileno, self.turns.lock]

    def close(self):
        """Its workers are gone: let go of the port, and have the agent end."""
        _descriptors.close(self.agent_life)
        self.agent_life = None
        if self.reservation is not None:
            self.reservation.close()


class Master(object):
    """The state of one gunicorn master; :func:`of` finds it."""

    def __init__(self):
        self._cfg = None
        self._environment = Environment()
        self._settings = None
        self._generation = None
        self._retired = []
        # The application may be imported here (preload_app): its clients are for the workers.
        only_prepare()

    # Configuration --------------------------------------------------------------------------

    def configure(self, server, settings):
        """Decide on the address, and tell workers-to-be, where the configuration was read anew.

        :return: whether it was.
        :raises ConfigurationError: a port is fixed, and is not to be shared.
        """
        if server.cfg is self._cfg:
            return False
        self._cfg, self._settings = server.cfg, settings
        fixed = settings.port or self._environment.fixed_port(server.cfg)
        if fixed is not None:
            check_sharing(settings)
        if self._generation is None:
            self._generation = (self._handed_over(settings, fixed)
                                or self._begin(server, settings, fixed))
        elif not self._may_stay(settings, fixed):
            self._retired.append(self._generation)
            self._generation = self._begin(server, settings, fixed)
        self._environment.tell_workers(self._generation.port, settings.agent is not None)
        return True

    def _may_stay(self, settings, fixed):
        return settings.share_on_reload is not False and fixed in (None, self._generation.port)

    def _begin(self, server, settings, fixed):
        if fixed is None:
            reservation = _gunicorn_port.reserve_free(settings.host)
        else:
            reservation = _gunicorn_port.reserve(settings.host, fixed)
        port = fixed or reservation.port
        server.log.info("clusterclient_sync: workers meet at %s:%d", settings.host, port)
        return _Generation(port, reservation, Turns())

    # Agents ---------------------------------------------------------------------------------

    def start_agent(self, server):
        """Start the agent of the configuration, if it has one; the one before gives way to it."""
        generation, path = self._generation, self._settings.agent
        before, generation.agent_life = generation.agent_life, None
        if path is None:
            _descriptors.close(before)
            return
        environ = dict(os.environ)
        environ.update(server.cfg.env or {})
        generation.agent_life = generation.turns.start(server, path, environ, before)

    # Workers --------------------------------------------------------------------------------

    def note_fork(self, worker):
        """This worker is about to be forked: it belongs to the present generation."""
        worker.clusterclient_generation = self._generation

    def leave_in_worker(self):
        """In a worker: let go of what is the master's."""
        for generation in self._all():
            generation.close()
            generation.turns.close()

    def note_end(self, server):
        """A worker has ended: so have those generations of which none is left."""
        present = [getattr(worker, "clusterclient_generation", None)
                   for worker in list(server.WORKERS.values())]
        for generation in list(self._retired):
            if generation not in present and generation in self._retired:
                self._retired.remove(generation)
                generation.close()
                generation.turns.close()

    def _all(self):
        return self._retired + ([] if self._generation is None else [self._generation])

    # Ends -----------------------------------------------------------------------------------

    def end(self, server):
        """The workers are gone, and the master is going."""
        for generation in self._all():
            generation.close()
        for generation in self._all():
            generation.turns.wait_for_end(server.cfg.graceful_timeout + _PATIENCE)

    def hand_over(self, server):
        """In the child that becomes the new master: what it needs to share the address.

        Raises nothing: gunicorn would have the child end the old master's workers.
        """
        try:
            self._hand_over(server)
        except Exception:
            server.log.exception("clusterclient_sync: the new master gets an address of its own")

    def _hand_over(self, server):
        reservation, lock = self._generation.descriptors()
        for fileno in (reservation, lock):
            if fileno is not None:
                _descriptors.keep_over_exec(fileno)
        environ = server.cfg.env_orig
        self._environment.restore(environ)
        environ[_UPGRADE_VARIABLE] = json.dumps(
            {"port": self._generation.port, "reservation": reservation, "lock": lock})

    def _handed_over(self, settings, fixed):
        """The generation of the master before, to go on with; ``None`` where there is none, or
        where this one is not to share it."""
        text = os.environ.pop(_UPGRADE_VARIABLE, None)
        if text is None or "GUNICORN_PID" not in os.environ:
            return None
        found = json.loads(text)
        filenos = [fileno for fileno in (found["reservation"], found["lock"]) if fileno is not None]
        shares = bool(settings.share_on_upgrade) if fixed is None else fixed == found["port"]
        if not shares or not all(map(_is_open, filenos)):
            for fileno in filter(_is_open, filenos):
                _descriptors.close(fileno)
            return None
        for fileno in filenos:
            _descriptors.drop_at_exec(fileno)
        reservation = found["reservation"]
        if reservation is not None:
            reservation = _gunicorn_port.Reservation(found["port"], reservation)
        return _Generation(found["port"], reservation, Turns(found["lock"]))


def _is_open(fileno):
    try:
        mode = os.fstat(fileno).st_mode
    except OSError:
        return False
    return stat.S_ISSOCK(mode) or stat.S_ISREG(mode)


def of(server):
    """The state of an arbiter; made when it is first asked for, in the master."""
    master = getattr(server, "clusterclient_master", None)
    if master is None:
        master = server.clusterclient_master = Master()
    return master
