"""Several things are done at the same time, and one that hangs holds up no other one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextvars import ContextVar
from pathlib import Path

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import side_by_side

LANGUAGE = ContextVar("language", default="en")
TREE = Path(__file__).resolve().parents[3]
#: A program that waits one second for what waits for a minute, and ends.
ENDS = """
import threading, time
from dcor_pkg.machine import side_by_side

def wait():
    with side_by_side.started([lambda: time.sleep(60)]) as results:
        results[0]()

side_by_side.do({"hangs": wait}, 1.0)
"""


def test_values_and_errors_come_back_in_the_order_of_the_questions() -> None:
    def fail() -> str:
        raise ZeroDivisionError

    ended = side_by_side.do({"b": lambda: "well", "a": fail}, 60.0)
    assert list(ended) == ["b", "a"]
    assert (ended["b"].value, ended["b"].error) == ("well", None)
    assert isinstance(ended["a"].error, ZeroDivisionError)


def test_all_are_done_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=60)
    ended = side_by_side.do(dict.fromkeys("abc", meeting.wait), 60.0)
    assert [it.error for it in ended.values()] == [None] * 3


def test_what_hangs_has_a_sentence_and_the_others_have_their_answers() -> None:
    over = threading.Event()
    begun = time.monotonic()
    ended = side_by_side.do({"hangs": lambda: over.wait(60), "answers": lambda: True}, 3.0)
    assert time.monotonic() - begun < 30
    over.set()
    assert (ended["answers"].value, ended["hangs"].value, ended["hangs"].seconds) == (True, None, 3.0)
    assert isinstance(ended["hangs"].error, DcorError)
    assert "does not answer within 3 s" in str(ended["hangs"].error)


def test_python_does_not_wait_for_what_hangs() -> None:
    over = threading.Event()
    side_by_side.do({"hangs": lambda: over.wait(60)}, 0.01)
    (left,) = (it for it in threading.enumerate() if it.name == "hangs")
    assert left.daemon
    over.set()


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


def test_functions_have_the_context_of_the_caller() -> None:
    """So they speak the same language."""
    LANGUAGE.set("de")
    with side_by_side.started([LANGUAGE.get]) as results:
        assert results[0]() == "de"


def test_python_does_not_wait_for_what_was_started_by_what_hangs() -> None:
    subprocess.run([sys.executable, "-c", ENDS], cwd=TREE, check=True, timeout=40)
