"""Of errors that come again it is known when they were mailed, in all processes of the server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.conftest import Runtime

NOW, HOUR = 1_800_000_000.0, 3600.0
ERROR, OTHER = "KeyError at ckan/x.py:1", "KeyError at ckan/x.py:2"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "errors.json"


@pytest.fixture
def repeats(runtime: Runtime, file: Path) -> Any:
    return runtime.repeats.Repeats(file)


def test_an_error_is_mailed_at_once_and_its_repeats_are_counted_for_an_hour(runtime: Runtime, repeats: Any) -> None:
    repeated = runtime.repeats.Repeated
    assert repeats.add(ERROR, NOW) == repeated(ERROR, 0, NOW)
    assert [repeats.add(ERROR, NOW + it) for it in (0, 1, HOUR - 1)] == [None, None, None]
    assert repeats.add(OTHER, NOW + 2) == repeated(OTHER, 0, NOW + 2)
    assert repeats.add(ERROR, NOW + HOUR) == repeated(ERROR, 3, NOW)
    assert repeats.add(ERROR, NOW + HOUR + 1) is None


def test_when_the_hour_is_over_the_repeats_are_due_once(runtime: Runtime, repeats: Any) -> None:
    for error in (ERROR, ERROR, OTHER):
        repeats.add(error, NOW)
    assert repeats.due(NOW + HOUR - 1) == []
    assert repeats.due(NOW + HOUR) == [runtime.repeats.Repeated(ERROR, 1, NOW)]
    assert repeats.due(NOW + HOUR) == []


def test_an_error_that_stays_away_for_an_hour_is_forgotten(repeats: Any, file: Path) -> None:
    for _ in range(2):
        repeats.add(ERROR, NOW)
    repeats.due(NOW + HOUR)
    assert ERROR in file.read_text()
    assert repeats.add(ERROR, NOW + HOUR + 1) is None
    repeats.due(NOW + 2 * HOUR)
    assert repeats.due(NOW + 3 * HOUR) == []
    assert file.read_text() == "{}"
    assert repeats.add(ERROR, NOW + 3 * HOUR).times == 0


def test_a_clock_that_was_set_back_silences_no_error(repeats: Any) -> None:
    repeats.add(ERROR, NOW)
    assert repeats.add(ERROR, NOW - HOUR).times == 0


def test_processes_count_together(runtime: Runtime, repeats: Any, file: Path) -> None:
    processes = []
    for _ in range(4):
        process = os.fork()
        if process == 0:
            mine = runtime.repeats.Repeats(file)
            os._exit(sum(mine.add(ERROR, NOW) is not None for _ in range(50)))
        processes.append(process)
    mailed = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    assert sorted(mailed) == [0, 0, 0, 1]
    assert repeats.add(ERROR, NOW + HOUR).times == 199


@pytest.mark.parametrize("text", ["", '{"KeyError', "[]", '{"x": 1}', '{"x": ["a", 1]}'])
def test_a_file_that_says_nothing_is_that_of_a_first_error(repeats: Any, file: Path, text: str) -> None:
    file.write_text(text)
    assert repeats.add(ERROR, NOW).times == 0
    assert repeats.add(ERROR, NOW) is None


def test_without_the_file_a_process_counts_for_itself(
    runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    repeats = runtime.repeats.Repeats(tmp_path / "missing/errors.json")
    assert repeats.add(ERROR, NOW).times == 0
    assert repeats.add(ERROR, NOW) is None
    assert repeats.add(ERROR, NOW + HOUR).times == 1
    assert "counted in each process alone: [Errno 2]" in caplog.text
