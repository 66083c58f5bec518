"""Kill a machine at a moment of a program, and boot it again."""

from __future__ import annotations

import time
from collections.abc import Callable

from dcor_dev.machine import Machine

#: The longest wait for a moment.
TIMEOUT_SECONDS = 300


def power_cut(machine: Machine, moment: Callable[[Machine], bool], *argv: str) -> None:
    """Run a program, kill the machine at the given moment, and boot it again."""
    machine.run("systemd-run", "--quiet", "--unit=cut", "--setenv=DEBIAN_FRONTEND=noninteractive", *argv)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not moment(machine):
        assert time.monotonic() < deadline, f"not {moment} within {TIMEOUT_SECONDS} s"
        time.sleep(0.01)
    assert machine.run("systemctl", "is-active", "cut", check=False).stdout == "active\n", "the program ended before"
    machine.kill()
    machine.start()
