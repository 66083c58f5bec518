"""Query and control supervisor over its own socket: a call takes 5 ms, the command supervisorctl 300 ms."""

from __future__ import annotations

import time
import xmlrpc.client
from typing import Any

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Host

SOCKET = "/run/supervisor.sock"
RUNNING = "RUNNING"
#: states in which a program has no process (Supervisor's documentation, "Subprocesses", "Process States")
ENDED = ("STOPPED", "EXITED", "FATAL", "BACKOFF", "UNKNOWN")
#: job workers get 600 s for the job that they are working on (programs.conf), and then 60 s to end
STOP_TIMEOUT_SECONDS = 660.0


def states(host: Host) -> dict[str, str]:
    """Return the state of each program of dcor-server; an empty dictionary if supervisor does not answer."""
    return {item["name"]: item["statename"] for item in _programs(host)}


def process(host: Host, program: str) -> int:
    """Return the id of a program's process, or 0."""
    return next((int(item["pid"]) for item in _programs(host) if item["name"] == program), 0)


def update(host: Host) -> None:
    """Apply what has changed in conf.d: start new programs, stop those whose file was removed."""
    host.run("supervisorctl", "update", timeout=900)


def start(host: Host, program: str) -> None:
    """Start a program, unless it is running or starting."""
    if states(host).get(program) in ENDED:
        _rpc(host).supervisor.startProcess(program, False)


def stop(host: Host, program: str, timeout: float = STOP_TIMEOUT_SECONDS) -> None:
    """Stop a program, and wait until it has finished its present work. Raises DcorError after `timeout` seconds."""
    if states(host).get(program, "STOPPED") not in ENDED:
        _rpc(host).supervisor.stopProcess(program, False)
    deadline = time.monotonic() + timeout
    while states(host).get(program, "STOPPED") not in ENDED:
        if time.monotonic() > deadline:
            raise DcorError(
                f"The program {program} did not stop within {timeout:.0f} s.", hint=f"supervisorctl status {program}"
            )
        time.sleep(0.1)


def _programs(host: Host) -> list[dict[str, Any]]:
    try:
        found: Any = _rpc(host).supervisor.getAllProcessInfo()
    except (OSError, xmlrpc.client.Error):
        return []
    return [item for item in found if item["name"].startswith("dcor-")]


def _rpc(host: Host) -> xmlrpc.client.ServerProxy:
    return unix_http.rpc(str(host.path(SOCKET)))
