"""The watch after a switch, in a machine: off while a test looks at what it would write, or goes back by hand."""

from __future__ import annotations

from dcor_dev.machine import Machine

UNIT = "dcor-watch.service"
#: The unit is skipped, and its timer can run: masked, it would keep the timer from that.
DROP_IN = f"/etc/systemd/system/{UNIT}.d/test.conf"
SKIP = "[Service]\nExecCondition=/bin/false\n"


def switch_off(machine: Machine) -> None:
    """Watch nothing, also after a boot."""
    machine.write(DROP_IN, SKIP)
    machine.shell(f"systemctl daemon-reload; systemctl stop {UNIT}")


def watch(machine: Machine) -> None:
    """Begin to watch."""
    machine.shell(f"rm {DROP_IN}; systemctl daemon-reload; systemctl start --no-block {UNIT}")


def await_end(machine: Machine) -> None:
    """Wait until the watch is over, and what it does then."""
    state = f"systemctl show --value --property=ActiveState {UNIT}"
    machine.shell(f"while [[ $({state}) =~ ^(activating|deactivating)$ ]]; do sleep 1; done", timeout=600)
