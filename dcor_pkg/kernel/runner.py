"""Run a plan: check, apply, check again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Host


class Result(Enum):
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    WOULD_CHANGE = "would change"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Outcome:
    """What became of one step; `reason` says why it acted or failed, and is empty when it did nothing."""

    step: str
    result: Result
    reason: str = ""
    hint: str = ""
    #: how long it took to make it so
    seconds: float = field(default=0.0, compare=False)


def run(
    plan: Iterable[Step], host: Host, *, dry_run: bool = False, tell: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Converge the steps in order and return an outcome for each.

    After a failure nothing more is touched: what follows may rest on what failed. `tell`
    hears of each outcome as it happens.
    """
    outcomes: list[Outcome] = []
    failed = False
    for step in plan:
        outcome = Outcome(step.name, Result.NOT_REACHED) if failed else _converge(step, host, dry_run)
        failed = failed or outcome.result is Result.FAILED
        outcomes.append(outcome)
        tell(outcome)
    return outcomes


def _converge(step: Step, host: Host, dry_run: bool) -> Outcome:
    try:
        reason = step.check(host)
        if reason is None:
            return Outcome(step.name, Result.UNCHANGED)
        if dry_run:
            return Outcome(step.name, Result.WOULD_CHANGE, reason)
        start = time.monotonic()
        step.apply(host)
        left = step.check(host)
    except DcorError as error:
        return Outcome(step.name, Result.FAILED, error.reason, error.hint)
    if left is not None:
        return Outcome(step.name, Result.FAILED, f"applied, and still: {left}", hint="This is a bug in dcor-server.")
    return Outcome(step.name, Result.CHANGED, reason, seconds=round(time.monotonic() - start, 2))
