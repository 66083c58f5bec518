"""Run a plan: check each step, apply it where it differs, check it again. Or only check all of them, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import side_by_side
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


def run(plan: Iterable[Step], host: Host, *, report: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Converge the steps in order and return the outcome of each.

    After a failure no other step is applied, since it may rest on the one that failed. `report` gets each outcome as
    soon as it is known.
    """
    return _until_failure(((step.name, partial(_converge, step, host)) for step in plan), report)


def dry_run(plan: Iterable[Step], host: Host, *, report: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Return what `run` would do, and change nothing: the steps are checked side by side, and reported in order."""
    steps = list(plan)
    with side_by_side.started(partial(_check, step, host) for step in steps) as outcomes:
        return _until_failure(zip((step.name for step in steps), outcomes), report)


def _until_failure(
    steps: Iterable[tuple[str, Callable[[], Outcome]]], report: Callable[[Outcome], None]
) -> list[Outcome]:
    """Return and report the outcome of each step, by its name. What comes after a failure is not reached."""
    outcomes: list[Outcome] = []
    failed = False
    for name, outcome_of in steps:
        outcome = Outcome(name, Result.NOT_REACHED) if failed else outcome_of()
        failed = failed or outcome.result is Result.FAILED
        outcomes.append(outcome)
        report(outcome)
    return outcomes


def _check(step: Step, host: Host) -> Outcome:
    try:
        reason = step.check(host)
    except DcorError as error:
        return Outcome(step.name, Result.FAILED, error.reason, error.hint)
    return Outcome(step.name, Result.UNCHANGED if reason is None else Result.WOULD_CHANGE, reason or "")


def _converge(step: Step, host: Host) -> Outcome:
    found = _check(step, host)
    if found.result is not Result.WOULD_CHANGE:
        return found
    try:
        start = time.monotonic()
        step.apply(host)
        left = step.check(host)
    except DcorError as error:
        return Outcome(step.name, Result.FAILED, error.reason, error.hint)
    if left is not None:
        return Outcome(step.name, Result.FAILED, f"was applied, and still differs: {left}", STILL_DIFFERS)
    return Outcome(step.name, Result.CHANGED, found.reason, seconds=round(time.monotonic() - start, 2))
