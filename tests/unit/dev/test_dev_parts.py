"""What scripts/test runs, by the names that the README gives, and how much of it at once."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dcor_dev import parts

TREE = Path(__file__).resolve().parents[3]


def test_each_part_that_the_readme_names_has_tests() -> None:
    (named,) = re.findall(r"runs a part\s+\(([^)]*)\)", (TREE / "README.md").read_text())
    assert sorted(re.findall(r"`(\w+)`", named)) == parts.tests(TREE)


def test_the_benchmarks_are_programs() -> None:
    assert parts.BENCHMARKS not in parts.tests(TREE)
    assert all(path.stat().st_mode & 0o100 for path in parts.benchmarks(TREE))
    assert len(parts.benchmarks(TREE)) >= 2


def test_a_part_that_is_not_there_is_refused() -> None:
    done = subprocess.run([TREE / "scripts/test", "units"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no test in tests/units; there are engines, golden, package, system, unit" in done.stderr


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers"), [(2, 24, 3), (2, 8, 2), (2, 2, 1), (16, 32, 8), (64, 512, 8)]
)
def test_there_are_as_many_workers_as_cores_and_memory_can_feed(cores: int, gigabytes: int, workers: int) -> None:
    assert parts.side_by_side(cores, gigabytes << 30) == workers
