"""nginx's worker processes during a reload.

A reload returns at once. The master then starts new workers and asks the old ones to finish, which go on accepting
requests for a moment and end when their last request has ended (nginx, "Controlling nginx").
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from dcor_pkg.machine.host import Host

#: part of the process title of a worker that accepts no new requests (nginx, src/os/unix/ngx_process_cycle.c)
SHUTTING_DOWN = "shutting down"
TIMEOUT_SECONDS = 10.0
INTERVAL_SECONDS = 0.05


def current(host: Host) -> list[str]:
    """Return the process ids of the workers; none if nginx does not run."""
    master = (host.read("/run/nginx.pid") or "").strip()
    return (host.read(f"/proc/{master}/task/{master}/children") or "").split() if master else []


def await_new(host: Host, workers: Sequence[str]) -> None:
    """Wait until these workers accept no new requests, for TIMEOUT_SECONDS at most: a busy nginx may take longer."""
    _await(lambda: all(SHUTTING_DOWN in _title(host, worker) for worker in workers))


def await_end(host: Host, workers: Sequence[str]) -> None:
    """Wait until these workers have ended, for TIMEOUT_SECONDS at most: a download may keep one for hours."""
    _await(lambda: not any(host.exists(f"/proc/{worker}") for worker in workers))


def _title(host: Host, worker: str) -> str:
    """Return the title of a process; one that has ended accepts no requests either."""
    return host.read(f"/proc/{worker}/cmdline") or SHUTTING_DOWN


def _await(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and not done():
        time.sleep(INTERVAL_SECONDS)
