"""Somebody who asks a server ten times a second while a command changes it, and counts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dcor_dev.machine import Machine

PROGRAM = Path(__file__).with_name("clients") / "poller.py"


@dataclass(frozen=True)
class Seen:
    """What became of the questions."""

    asked: int
    failed: tuple[str, ...]
    #: seconds from one good answer to the next
    longest: float


def probed(machine: Machine, command: str, *names: str) -> Seen:
    """Run a command while somebody asks all the time, under whichever name answers; return what that one saw."""
    machine.copy_in(PROGRAM, "/root/poller.py")
    asked = " ".join(names or (machine.hostname,))
    machine.shell(
        "rm -f /run/probe.stop; systemd-run --quiet --unit=probe --property=StandardOutput=file:/run/probe.json "
        f"python3 /root/poller.py {asked}"
    )
    machine.shell(command, timeout=300)
    machine.shell("touch /run/probe.stop; while systemctl is-active --quiet probe; do sleep 0.1; done")
    seen = json.loads(machine.shell("cat /run/probe.json"))
    return Seen(seen["asked"], tuple(seen["failed"]), seen["longest"])
