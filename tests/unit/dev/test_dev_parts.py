"""scripts/test runs the parts that the README names, with a number of workers that suits the computer."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dcor_dev import parts

TREE = Path(__file__).resolve().parents[3]


def test_the_readme_names_the_parts_that_have_tests() -> None:
    (named,) = re.findall(r"runs a part\s+\(([^)]*)\)", (TREE / "README.md").read_text())
    assert sorted(re.findall(r"`(\w+)`", named)) == parts.tests(TREE)


def test_the_benchmarks_are_programs() -> None:
    assert parts.BENCHMARKS not in parts.tests(TREE)
    assert all(path.stat().st_mode & 0o100 for path in parts.benchmarks(TREE))
    assert len(parts.benchmarks(TREE)) >= 2


def test_an_unknown_part_is_an_error() -> None:
    done = subprocess.run([TREE / "scripts/test", "units"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown part units; the parts are engines, golden, package, system, unit" in done.stderr


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers"), [(2, 24, 3), (2, 8, 2), (2, 2, 1), (16, 32, 8), (64, 512, 8)]
)
def test_the_number_of_workers_follows_from_cores_and_memory(cores: int, gigabytes: int, workers: int) -> None:
    assert parts.worker_count(cores, gigabytes << 30) == workers
