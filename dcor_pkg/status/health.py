"""Examine the server: all questions are asked side by side, and what hangs is named by its own name."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import error_boundary, side_by_side
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.side_by_side import Ended
from dcor_pkg.status import disks, drift, notices, questions
from dcor_pkg.status.part import Part, with_causes
from dcor_pkg.status.questions import Question

#: for all answers; with the start of the command, less than ten seconds
SECONDS = 8.0
#: Programs that are run for an answer are ended before: nothing of ours is left behind.
PROGRAM_SECONDS = 7.0


@dataclass(frozen=True)
class Examined:
    """What was found within the time."""

    parts: list[Part]
    notices: list[Notice]
    seconds: float


def examine(host: Host, settings: Settings, compare: drift.Compare | None = None) -> Examined:
    """Return every part, with its problem, and the notices; `compare` adds how many steps differ."""
    begun = time.monotonic()
    limited = replace(host, deadline=begun + PROGRAM_SECONDS)
    asked = {question.name: question for question in questions.all_of(limited, settings, compare)}
    sources: dict[str, notices.Source] = {
        "additions": partial(notices.not_applied, limited, settings),
        **notices.sources(limited, settings),
    }
    work: dict[str, Callable[[], object]] = {
        **{f"part {name}": question.ask for name, question in asked.items()},
        **{f"notices {name}": partial(notices.listed, source) for name, source in sources.items()},
    }
    ended = side_by_side.do(work, SECONDS)
    parts: list[Part] = []
    needs: dict[str, tuple[str, ...]] = {}
    for name, question in asked.items():
        answered = _parts(host, question, ended[f"part {name}"])
        parts += answered
        needs.update({part.name: question.needs for part in answered})
    found = [it for name in sources for it in _notices(host, name, ended[f"notices {name}"])]
    return Examined(list(disks.distinct(with_causes(parts, needs))), found, time.monotonic() - begun)


def _parts(host: Host, question: Question, ended: Ended[object]) -> list[Part]:
    """Return the answer as parts, with the time that it took; that there is none is a problem, if one was needed."""
    if ended.error is not None:
        reason = error_boundary.as_dcor_error(host, ended.error).reason
        if question.is_optional:
            return [Part(question.name, None, f"is not known: {reason}", seconds=ended.seconds)]
        return [Part(question.name, reason, seconds=ended.seconds)]
    answer = ended.value
    found = [answer] if isinstance(answer, Part) else cast("Sequence[Part]", answer)
    return [it if it.seconds else replace(it, seconds=ended.seconds) for it in found]


def _notices(host: Host, name: str, ended: Ended[object]) -> list[Notice]:
    """Return the notices of a source; that they could not be found is one, too."""
    if ended.error is None:
        return cast("list[Notice]", ended.value)
    error: DcorError = error_boundary.as_dcor_error(host, ended.error)
    return [Notice(name, f"could not be looked at: {error.reason}", error.hint)]
