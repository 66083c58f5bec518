"""Functions are called at the same time; their results come in order, with what they raise."""

from __future__ import annotations

import threading

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import language, side_by_side


def test_functions_run_at_the_same_time_and_their_results_come_in_order() -> None:
    meeting = threading.Barrier(2, timeout=60)

    def first() -> str:
        meeting.wait()
        return "first"

    def second() -> str:
        meeting.wait()
        return "second"

    with side_by_side.started([first, second]) as results:
        assert [result() for result in results] == ["first", "second"]


def test_what_a_function_raises_comes_with_its_result() -> None:
    def fail() -> str:
        raise DcorError("It failed.")

    with side_by_side.started([lambda: "right", fail]) as results:
        assert results[0]() == "right"
        with pytest.raises(DcorError, match=r"^It failed\.$"):
            results[1]()


def test_functions_speak_the_language_of_the_caller() -> None:
    with language.spoken("de"), side_by_side.started([language._catalogue.get]) as results:  # noqa: SLF001
        assert results[0]() is language._catalogue.get()  # noqa: SLF001
