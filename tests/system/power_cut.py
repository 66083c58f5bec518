"""Kill a program, or the whole machine, at a moment of that program."""

from __future__ import annotations

import time
from collections.abc import Callable

from dcor_dev.machine import Machine

#: The longest wait for a moment.
TIMEOUT_SECONDS = 300
#: The unit in which the program runs.
UNIT = "cut"
STATE = f"systemctl show --value --property=ActiveState {UNIT}"
Moment = Callable[[Machine], bool]


def begin(machine: Machine, moment: Moment, *argv: str) -> None:
    """Run a program, and return at the given moment, at which it still runs."""
    machine.run("systemd-run", "--quiet", f"--unit={UNIT}", "--setenv=DEBIAN_FRONTEND=noninteractive", *argv)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not moment(machine):
        assert time.monotonic() < deadline, f"not {moment} within {TIMEOUT_SECONDS} s"
        time.sleep(0.01)
    assert machine.run("systemctl", "is-active", UNIT, check=False).stdout == "active\n", "the program ended before"


def power_cut(machine: Machine, moment: Moment, *argv: str) -> None:
    """Run a program, kill the machine at the given moment, and boot it again."""
    begin(machine, moment, *argv)
    lose_power(machine)


def kill_program(machine: Machine, moment: Moment, *argv: str) -> None:
    """Run a program, and kill it at the given moment with all that it has started."""
    begin(machine, moment, *argv)
    kill(machine)


def lose_power(machine: Machine) -> None:
    """Kill the machine, and boot it again."""
    machine.kill()
    machine.start()


def kill(machine: Machine) -> None:
    """Kill the program that was begun, with all that it has started."""
    machine.run("systemctl", "kill", "--signal=KILL", UNIT)
    await_end(machine)


def await_end(machine: Machine) -> None:
    """Wait until the program has ended, and forget how."""
    machine.shell(f"until [[ $({STATE}) =~ ^(inactive|failed)$ ]]; do sleep 0.1; done", timeout=900)
    machine.shell(f"if [ $({STATE}) = failed ]; then systemctl reset-failed {UNIT}; fi")


#: the ways in which a program may be cut off, by their names
CUTS = {"kill": kill_program, "power cut": power_cut}
