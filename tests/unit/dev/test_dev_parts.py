"""scripts/test runs the parts that the README names, with a number of workers that suits the computer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dcor_dev import parts

from tests.conftest import FIRST

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


@pytest.mark.parametrize("alone", [parts.BENCHMARKS, *parts.CHOICES])
def test_what_stands_alone_goes_with_no_other_part(alone: str) -> None:
    done = subprocess.run([TREE / "scripts/test", "unit", alone], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{alone} goes with no other part: scripts/test {alone}" in done.stderr


@pytest.mark.parametrize(
    ("cores", "gigabytes", "workers"), [(2, 24, 2), (2, 4, 1), (2, 2, 1), (16, 32, 8), (64, 512, 8)]
)
def test_the_number_of_workers_follows_from_cores_and_memory(cores: int, gigabytes: int, workers: int) -> None:
    assert parts.worker_count(cores, gigabytes << 30) == workers


def test_the_tests_of_a_file_run_in_one_worker_in_their_order(tmp_path: Path) -> None:
    """They share machines, which they change step by step."""
    names = ("one", "two", "three", "four")
    for file in names:
        tests = "".join(f"def test_{name}(worker_id):\n    print('{file} {name}', worker_id)\n" for name in names)
        (tmp_path / f"test_{file}.py").write_text(tests)
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rP", *parts.worker_options(), str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=tmp_path)
    for file in names:
        ran = re.findall(rf"^{file} (\w+) (gw\d+|master)$", done.stdout, re.MULTILINE)
        assert [name for name, _ in ran] == list(names)
        assert len({worker for _, worker in ran}) == 1


def test_the_files_that_begin_first_are_there_and_each_is_named_once() -> None:
    """One that is renamed or gone would be no error, and its tests would begin last."""
    assert [name for name in FIRST if not (TREE / f"tests/{name}.py").exists()] == []
    assert len(set(FIRST)) == len(FIRST)


def collected(*options: str) -> str:
    """Return what pytest would run of the tests of machines."""
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "tests/system"]
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return subprocess.run([*argv, *options], cwd=TREE, env=env, capture_output=True, text=True, check=True).stdout


def test_long_tests_are_left_out_unless_all_are_asked_for() -> None:
    some, every = collected(), collected("--all")
    short, long = "brought_back[the release]", "brought_back[a module lost]"
    assert (short in some, long in some) == (True, False)
    assert (short in every, long in every) == (True, True)


def test_all_that_makes_a_next_version_is_about_upgrades_and_long_ones_are_among_them() -> None:
    makers = re.compile(r"^from (?:migrations|next_debian|next_set|next_version) import", re.MULTILINE)
    files = {path.name for path in (TREE / "tests/system").glob("test_*.py") if makers.search(path.read_text())}
    listed = collected(*parts.CHOICES[parts.UPGRADES])
    assert {name for name in files if f"/{name}::" not in listed} == set()
    assert "test_a_night_all_at_once_is_one_release" in listed
    assert "test_measurement.py" not in listed
