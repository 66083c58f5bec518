"""Run a plan: check each step, apply it where it differs, check it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Host

STILL_DIFFERS = "Another program may undo the change; otherwise this is a bug in dcor-server."


class Result(Enum):
    """What a run has done with a step."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    WOULD_CHANGE = "would change"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Outcome:
    """The result of one step; `reason` says why it was applied or has failed, and is empty where nothing was done."""

    step: str
    result: Result
    reason: str = ""
    hint: str = ""
    #: how long it took to apply it
    seconds: float = field(default=0.0, compare=False)


def run(
    plan: Iterable[Step], host: Host, *, dry_run: bool = False, report: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Converge the steps in order and return the outcome of each; a dry run applies none.

    After a failure no other step is applied, since it may rest on the one that failed. `report` gets each outcome as
    soon as it is known.
    """
    outcomes: list[Outcome] = []
    failed = False
    for step in plan:
        outcome = Outcome(step.name, Result.NOT_REACHED) if failed else _converge(step, host, dry_run)
        failed = failed or outcome.result is Result.FAILED
        outcomes.append(outcome)
        report(outcome)
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
        return Outcome(step.name, Result.FAILED, f"was applied, and still differs: {left}", STILL_DIFFERS)
    return Outcome(step.name, Result.CHANGED, reason, seconds=round(time.monotonic() - start, 2))
