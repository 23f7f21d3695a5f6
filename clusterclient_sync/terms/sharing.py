"""A term in single mode: a share in the one real client of this process."""

from __future__ import absolute_import, division, print_function

from .. import states
from ..protocol import transcodes
from ..roles import single
from ..roles.invocation import dump
from ..roles.local import LocalRole


class SharingTerm(object):
    """See the module."""

    def __init__(self, supervisor):
        self._supervisor = supervisor
        self._core = supervisor.core

    def serve(self):
        """Share until the client is closed; returns after a pause where the start failed."""
        core, supervisor = self._core, self._supervisor
        core.transition(states.WON_PORT)
        shared = single.join(core.plan, supervisor.options, core.negotiator.own, core)
        try:
            shared.start(supervisor.wait_for_start)
        except single.StartFailed as failed:
            shared.leave(core)
            if not supervisor.is_closing:
                core.admission.start_failed(dump(failed.error, transcodes.JSON))
                supervisor.pause(supervisor.backoff.pause())
            return
        role = LocalRole(shared.host, shared.upstreams, core.subscriptions, core.deadlines)
        try:
            core.enter(role, states.STARTED)
            supervisor.backoff.reset()
            while not supervisor.is_closing:
                supervisor.sleep(None)
        finally:
            if not supervisor.is_foreign:
                role.end()
                core.leave(role)
                shared.leave(core)
