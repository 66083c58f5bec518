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

from dcor_pkg.ckan import unit
from dcor_pkg.ckan.programs import CONFIGURATIONS
from dcor_pkg.machine.host import Host

#: in the environment of each program (programs.conf) and of what it starts; CKAN's commands have another configuration
MARK = f"CKAN_INI={CONFIGURATIONS}/".encode()
#: how long they may take to end by themselves
TIMEOUT_SECONDS = 30.0
#: a process may end, and be another user's, at any moment
GONE = (FileNotFoundError, ProcessLookupError)


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
        while find(host) and time.monotonic() < deadline:
            time.sleep(0.1)
        _send(host, signal.SIGKILL)


def problem(host: Host) -> str | None:
    """Return which process runs outside of the unit, or None."""
    found = find(host)
    return f"process {found[0]} runs CKAN outside of {unit.UNIT}" if found else None


def find(host: Host) -> list[int]:
    """Return the processes outside of the unit."""
    names = sorted(int(name) for name in host.names("/proc") if name.isdigit())
    return [process for process in names if _is_stray(host, process)]


def _is_stray(host: Host, process: int) -> bool:
    """Return whether a process runs with the configuration of programs, and not in the control group of the unit."""
    return any(
        part.startswith(MARK) for part in _read(host, process, "environ").split(b"\0")
    ) and f"/{unit.UNIT}".encode() not in _read(host, process, "cgroup")


def _read(host: Host, process: int, name: str) -> bytes:
    """Return a file of a process (proc(5)): the kernel's text, in a directory in which nobody can make names."""
    with contextlib.suppress(*GONE):
        return host.path(f"/proc/{process}/{name}").read_bytes()
    return b""


def _send(host: Host, number: signal.Signals) -> None:
    for process in find(host):
        with _held(process) as descriptor:
            # The number may be another process's by now; that of the descriptor stays.
            if descriptor is not None and _is_stray(host, process):
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
