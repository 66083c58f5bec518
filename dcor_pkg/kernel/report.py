"""The outcomes of a run, as text for a terminal and as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dcor_pkg.kernel.runner import Outcome, Result

MARKS = {
    Result.UNCHANGED: " ",
    Result.CHANGED: "*",
    Result.WOULD_CHANGE: "~",
    Result.FAILED: "!",
    Result.NOT_REACHED: "-",
}


@dataclass(frozen=True)
class Notice:
    """A file, what is to know about it as half a sentence, and what may be done."""

    file: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{self.file} {self.message}{hint}"


def line(outcome: Outcome) -> str:
    """Return an outcome as one line, with its hint on the next ones."""
    reason = f": {outcome.reason}" if outcome.reason else ""
    hint = f"\n    {outcome.hint}" if outcome.hint else ""
    took = f" ({outcome.seconds:.0f} s)" if outcome.seconds >= 1 else ""
    return f"{MARKS[outcome.result]} {outcome.step}{reason}{took}{hint}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the counts, "0 changed" first."""
    counts = {result: sum(o.result is result for o in outcomes) for result in Result}
    parts = [f"{counts[Result.CHANGED]} changed", f"{counts[Result.UNCHANGED]} unchanged"]
    parts += [
        f"{counts[result]} {result.value}"
        for result in (Result.WOULD_CHANGE, Result.FAILED, Result.NOT_REACHED)
        if counts[result]
    ]
    return ", ".join(parts)


def as_json(outcomes: Sequence[Outcome], notices: Sequence[Notice], **more: object) -> str:
    """Return the outcomes, the notices, and further values by their names, as JSON."""
    steps = [{**asdict(outcome), "result": outcome.result.value} for outcome in outcomes]
    return json.dumps({"steps": steps, **more, "notices": [asdict(notice) for notice in notices]}, indent=1)


def failed(outcomes: Sequence[Outcome]) -> bool:
    """Tell whether a step has failed."""
    return any(outcome.result is Result.FAILED for outcome in outcomes)
