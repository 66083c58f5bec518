"""A power cut on the fake machine, before whichever of the changes that something makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from dcor_pkg.machine.host import Host
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.call import Call, Handler


def counted_method(count: Callable[[], None], method: Callable[..., bool], *arguments: Any) -> bool:
    count()
    return method(*arguments)


def counted_program(count: Callable[[], None], program: Handler, call: Call) -> str:
    """Run a program, and count it if it changes something."""
    reads = call.text.strip().startswith("SELECT") and r"\gexec" not in call.text
    if not reads and "show" not in call.argv:
        count()
    return program(call)


class PowerCutError(BaseException):
    """The power fails."""


def changes(machine: Machine, monkeypatch: pytest.MonkeyPatch, count: Callable[[], None]) -> None:
    """Have a function called before each change that a program or a file gets."""
    for name in ("write", "link", "remove", "remove_tree", "rename"):
        original = getattr(Host, name)

        def counted(host: Host, *rest: Any, original: Any = original, **named: Any) -> Any:
            count()
            return original(host, *rest, **named)

        monkeypatch.setattr(Host, name, counted)
    for name in ("psql", "RELEASE/bin/python", "systemctl"):
        machine.programs[name] = partial(counted_program, count, machine.programs[name])
    for name in ("startProcess", "stopProcess", "addProcessGroup", "removeProcessGroup"):
        method = getattr(machine.supervisor, name)
        setattr(machine.supervisor, name, partial(counted_method, count, method))


@dataclass
class Power:
    """Fails before the change with this number, if there is one, and stays off."""

    failing: int = 0
    changes: int = 0

    def __call__(self) -> None:
        self.changes += 1
        if self.failing and self.changes >= self.failing:
            raise PowerCutError

    def fail_at(self, number: int) -> None:
        """Count anew."""
        self.changes, self.failing = 0, number


def is_cut(machine: Machine, power: Power, action: Callable[[], object]) -> bool:
    """Do something; return whether the power has failed, and bring back what runs by itself after a boot."""
    try:
        action()
    except PowerCutError:
        power.fail_at(0)
        machine.supervisor.restart()
        machine.nginx.reload()
        return True
    power.fail_at(0)
    return False
