"""Outcomes as text and as JSON."""

from __future__ import annotations

import json

from dcor_pkg.kernel import report
from dcor_pkg.kernel.report import Notice
from dcor_pkg.kernel.runner import Outcome, Result

OUTCOMES = [
    Outcome("one", Result.UNCHANGED),
    Outcome("two", Result.CHANGED, "is missing", seconds=2.4),
    Outcome("three", Result.FAILED, "cannot be", "Do this."),
    Outcome("four", Result.NOT_REACHED),
]
NOTICE = Notice("/etc/file", "was changed", "Do that.")


def test_an_outcome_is_a_line_with_its_hint_below() -> None:
    assert [report.line(outcome) for outcome in OUTCOMES] == [
        "  one",
        "* two: is missing (2 s)",
        "! three: cannot be\n    Do this.",
        "- four",
    ]


def test_each_result_has_a_mark_of_its_own() -> None:
    assert sorted(report.MARKS, key=lambda it: it.name) == sorted(Result, key=lambda it: it.name)
    assert len(set(report.MARKS.values())) == len(Result)


def test_a_summary_counts_what_there_is() -> None:
    assert report.summary(OUTCOMES) == "1 changed, 1 unchanged, 1 failed, 1 not reached"
    assert report.summary([]) == "0 changed, 0 unchanged"


def test_a_notice_is_a_sentence_with_its_hint_below() -> None:
    assert str(NOTICE) == "/etc/file was changed\n    Do that."
    assert str(Notice("/etc/file", "was changed")) == "/etc/file was changed"


def test_json_holds_outcomes_notices_and_more() -> None:
    found = json.loads(report.as_json(OUTCOMES, [NOTICE], more=1))
    assert [step["result"] for step in found["steps"]] == ["unchanged", "changed", "failed", "not reached"]
    assert found["steps"][1]["seconds"] == 2.4
    assert found["notices"] == [{"file": "/etc/file", "message": "was changed", "hint": "Do that."}]
    assert found["more"] == 1


def test_one_step_that_failed_is_a_failure() -> None:
    assert report.failed(OUTCOMES)
    assert not report.failed(OUTCOMES[:2])
