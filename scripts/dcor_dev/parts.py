"""Determine the parts of the tests, and how many of them run in parallel."""

from __future__ import annotations

import os
from pathlib import Path

#: The directory of programs that measure.
BENCHMARKS = "bench"

#: Stands for all parts, with the tests that are marked as long.
ALL = "all"

#: Stands for the tests with this marker, those included that are marked as long.
UPGRADES = "upgrades"

#: Words that stand alone, for a choice from all parts, and pytest's options for it.
CHOICES = {ALL: ("--all",), UPGRADES: ("--all", "-m", UPGRADES)}

#: A server needs 1.5 GB; a worker has up to two, one that several tests share and one of the current test.
BYTES_PER_WORKER = 4 << 30

#: More workers would only wait for the longest test, and use up the kernel's inotify instances (seven for a machine).
MAX_WORKERS = 8


def tests(tree: Path) -> list[str]:
    """Return the names of the directories below tests/ that hold tests."""
    return sorted(path.name for path in (tree / "tests").iterdir() if any(path.glob("**/test_*.py")))


def benchmarks(tree: Path) -> list[Path]:
    """Return the programs of the benchmarks."""
    return sorted((tree / "tests" / BENCHMARKS).glob("*.py"))


def worker_count(cores: int, memory: int) -> int:
    """Return the number of workers for a computer with so many cores and bytes of memory."""
    return max(1, min(cores, memory // BYTES_PER_WORKER, MAX_WORKERS))


def worker_options() -> list[str]:
    """Return pytest's options for parallel tests on this computer: the tests of a file stay together, in its order.

    Files begin in the order of tests/conftest.py. (Groups by marker, --dist=loadgroup, do not work with pytest 9.2.)
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    count = worker_count(len(os.sched_getaffinity(0)), memory)
    return [f"--numprocesses={count}", "--dist=loadfile", "--no-loadscope-reorder"]
