"""The live table: workers, roles, calls, and what goes upstream."""

from __future__ import absolute_import, division, print_function

from clusterclient_sync.demo import load as fates

ROW = "  %-8s %-12s %-18s %10s   %s"


class Table(object):
    """``table(width)``: the lines that show the present state."""

    def __init__(self, workers, load, upstream, killed):
        self._workers = workers
        self._load = load
        self._upstream = upstream
        self._killed = killed

    def __call__(self, width):
        lines = ["", ROW % ("worker", "role", "epoch", "requests", "last change")]
        for pid in self._killed():
            lines.append(ROW % (pid, "killed", "", self._load.by_pid[pid], ""))
        for worker in self._workers.alive():
            seen = worker.seen["value"] if worker.seen else "-"
            epoch = "-" if worker.epoch is None else worker.epoch
            lines.append(ROW % (worker.pid, worker.role, epoch, self._load.by_pid[worker.pid],
                                seen))
        return lines + [""] + self._summary()

    def _summary(self):
        counts = self._load.counts
        connections = self._upstream.connections
        return [
            "  upstream connections: %s   requests/s: %d" % (
                "?" if connections is None else connections, self._load.rate()),
            "  answered: %d   lost with the killed worker: %d   other failures: %d" % (
                counts[fates.OK], counts[fates.LOST_BY_KILL],
                counts[fates.LOST] + counts[fates.ERROR]),
        ]
