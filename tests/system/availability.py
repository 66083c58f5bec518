"""Measure the availability of a server while a command changes it, by ten requests a second."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dcor_dev.machine import Machine

PROGRAM = Path(__file__).with_name("clients") / "poller.py"


@dataclass(frozen=True)
class Availability:
    """The results of all requests."""

    requests: int
    failed: tuple[str, ...]
    #: from one successful response to the next
    longest_gap_seconds: float


def measure_availability(machine: Machine, command: str, *names: str) -> Availability:
    """Run a command while clients/poller.py sends requests, to whichever of the server's names responds."""
    machine.copy_in(PROGRAM, "/root/poller.py")
    hosts = " ".join(names or (machine.hostname,))
    machine.shell(
        "rm -f /run/poller.stop; systemd-run --quiet --unit=poller --property=StandardOutput=truncate:/run/poller.json "
        f"python3 /root/poller.py {hosts}"
    )
    machine.shell(command, timeout=300)
    machine.shell("touch /run/poller.stop; while systemctl is-active --quiet poller; do sleep 0.1; done")
    result = json.loads(machine.shell("cat /run/poller.json"))
    return Availability(result["requests"], tuple(result["failed"]), result["longest_gap_seconds"])
