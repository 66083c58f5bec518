"""Ask and tell supervisor, over its own socket: a question takes 5 ms, supervisorctl 300."""

from __future__ import annotations

import time
import xmlrpc.client
from typing import Any

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Host

SOCKET = "/run/supervisor.sock"
RUNNING = "RUNNING"
#: States in which nothing of a program runs (supervisord.org, "Process States").
ENDED = ("STOPPED", "EXITED", "FATAL", "BACKOFF", "UNKNOWN")


def states(host: Host) -> dict[str, str]:
    """Return the state of each program of ours; none where supervisor does not answer."""
    return {item["name"]: item["statename"] for item in _programs(host)}


def process(host: Host, program: str) -> int:
    """Return the number of a program's process; 0 where it has none."""
    return next((int(item["pid"]) for item in _programs(host) if item["name"] == program), 0)


def update(host: Host) -> None:
    """Take over what has changed in conf.d: start new programs, stop and forget those that are gone."""
    host.run("supervisorctl", "update", timeout=900)


def start(host: Host, program: str) -> None:
    """Start a program that does not run."""
    if states(host).get(program) in ENDED:
        _rpc(host).supervisor.startProcess(program, False)


def stop(host: Host, program: str, timeout: float = 660) -> None:
    """Stop a program, and wait until it has finished what it had in hand."""
    if states(host).get(program, "STOPPED") not in ENDED:
        _rpc(host).supervisor.stopProcess(program, False)
    deadline = time.monotonic() + timeout
    while states(host).get(program, "STOPPED") not in ENDED:
        if time.monotonic() > deadline:
            raise DcorError(f"{program} did not stop within {timeout:.0f} s", hint=f"supervisorctl status {program}")
        time.sleep(0.1)


def _programs(host: Host) -> list[dict[str, Any]]:
    try:
        found: Any = _rpc(host).supervisor.getAllProcessInfo()
    except (OSError, xmlrpc.client.Error):
        return []
    return [item for item in found if item["name"].startswith("dcor-")]


def _rpc(host: Host) -> xmlrpc.client.ServerProxy:
    return unix_http.rpc(str(host.path(SOCKET)))
