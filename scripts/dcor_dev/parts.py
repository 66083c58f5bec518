"""The parts of the tests, and how many tests run side by side."""

from __future__ import annotations

import os
from pathlib import Path

#: Programs that print figures, not tests.
BENCHMARKS = "bench"

#: A whole server takes 1.5 GB; each worker keeps one for several tests beside the one that it is just testing.
BYTES_OF_A_WORKER = 4 << 30

#: Whoever boots, installs or waits for a page leaves a core idle now and then, so one more than there are cores.
SPARE = 1

#: More would wait for the longest test, and for the kernel's few inotify instances, of which a machine takes seven.
MOST = 8


def tests(tree: Path) -> list[str]:
    """Return the names of the folders below tests/ that hold tests."""
    return sorted(path.name for path in (tree / "tests").iterdir() if any(path.glob("**/test_*.py")))


def benchmarks(tree: Path) -> list[Path]:
    """Return the programs that measure."""
    return sorted((tree / "tests" / BENCHMARKS).glob("*.py"))


def side_by_side(cores: int, memory: int) -> int:
    """Return how many workers a computer with so many cores and so many bytes of memory can feed."""
    return max(1, min(cores + SPARE, memory // BYTES_OF_A_WORKER, MOST))


def workers() -> list[str]:
    """Return what tells pytest how to share out the tests on this computer, in the order that tests/conftest.py gives."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    count = side_by_side(len(os.sched_getaffinity(0)), memory)
    return [f"--numprocesses={count}", "--dist=loadgroup", "--no-loadscope-reorder"]
