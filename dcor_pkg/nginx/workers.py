"""nginx's workers over a reload: `nginx -s reload` returns at once, and the old ones answer for a moment more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dcor_pkg.machine.host import Host

#: what an old worker calls itself when it takes no new requests (nginx's ngx_process_cycle.c)
LEAVING = "shutting down"
#: seconds
PATIENCE = 10.0


def current(host: Host) -> list[str]:
    """Return the processes that answer now; none where nginx does not run."""
    master = (host.read("/run/nginx.pid") or "").strip()
    return (host.read(f"/proc/{master}/task/{master}/children") or "").split() if master else []


def await_new(host: Host, workers: Sequence[str]) -> None:
    """Wait until these take no new requests, but not for ever: an nginx that is busy goes on being so."""
    _await(lambda: all(LEAVING in _title(host, worker) for worker in workers))


def await_end(host: Host, workers: Sequence[str]) -> None:
    """Wait until these have ended, but not for long: downloads may keep them for hours."""
    _await(lambda: not any(host.exists(f"/proc/{worker}") for worker in workers))


def _title(host: Host, worker: str) -> str:
    """Return what a process calls itself; one that has gone is leaving, too."""
    return host.read(f"/proc/{worker}/cmdline") or LEAVING


def _await(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not done():
        time.sleep(0.05)
