"""Programs of CKAN that nobody supervises: they go on with the configuration of before, and nobody would stop them.

While the data move or another database is set up they would write all the same. No program can leave the unit, but one
that a former version has started below another supervisor can have outlived that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass

from dcor_pkg.ckan import processes, unit
from dcor_pkg.machine.host import Host

#: how long they may take to end by themselves
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class NoStrays:
    """No program of CKAN outside of its unit."""

    name: str = "programs outside of their unit"

    def check(self, host: Host) -> str | None:
        return problem(host)

    def apply(self, host: Host) -> None:
        """End them: job workers may finish their jobs first, for a short time; a job that is killed is repeated."""
        _send(host, signal.SIGTERM)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while processes.outside(host) and time.monotonic() < deadline:
            time.sleep(0.1)
        _send(host, signal.SIGKILL)


def problem(host: Host) -> str | None:
    """Return which process runs outside of the unit, or None."""
    found = processes.outside(host)
    return f"process {found[0]} runs CKAN outside of {unit.UNIT}" if found else None


def _send(host: Host, number: signal.Signals) -> None:
    for process in processes.outside(host):
        with _held(process) as descriptor:
            # The number may be another process's by now; that of the descriptor stays.
            if descriptor is not None and processes.is_outside(host, process):
                signal.pidfd_send_signal(descriptor, number)


@contextlib.contextmanager
def _held(process: int) -> Iterator[int | None]:
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        yield None
        return
    try:
        with contextlib.suppress(ProcessLookupError):
            yield descriptor
    finally:
        os.close(descriptor)
