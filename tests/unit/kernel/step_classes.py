"""Find the classes of steps in the code, and put a step of a class into its place in the plan."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from importlib import import_module

import dcor_pkg
from dcor_pkg.kernel.step import Step
from tests.unit.fake_machine import Machine
from tests.unit.kernel.damages import LOCAL, Damage, converged, plan


@dataclass(frozen=True)
class Case:
    """A step of a class. It is the first of that class in the plan whose name ends with `name`, or `alone`."""

    kind: type
    damages: Mapping[str, Damage]
    name: str = ""
    answers: Mapping[str, str] = field(default_factory=lambda: LOCAL)
    #: what comes before the plan
    before: Damage = lambda _: None
    #: a step that is not in the plan by itself
    alone: Step | None = None

    def prepare(self, machine: Machine) -> Step:
        """Run what comes before the step in the plan, and return the step."""
        self.before(machine)
        if self.alone is not None:
            return self.alone
        steps = plan(machine, self.answers)
        place = next(n for n, it in enumerate(steps) if type(it) is self.kind and it.name.endswith(self.name))
        converged(machine, steps[:place])
        return steps[place]


def classes() -> list[type]:
    """Return all classes of steps that there are in the code, except those that only others are made of."""
    names = [module.name for module in pkgutil.walk_packages(dcor_pkg.__path__, "dcor_pkg.")]
    modules = [import_module(name) for name in names if not name.startswith("dcor_pkg.runtime")]
    found = [kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)]
    return sorted({kind for kind in found if _is_step(kind)}, key=lambda kind: kind.__name__)


def _is_step(kind: type) -> bool:
    named = "name" in getattr(kind, "__dataclass_fields__", {}) or hasattr(kind, "name")
    methods = [getattr(kind, name, None) for name in ("check", "apply")]
    made = kind.__module__.startswith("dcor_pkg.") and is_dataclass(kind) and not inspect.isabstract(kind)
    return made and named and all(map(callable, methods))
