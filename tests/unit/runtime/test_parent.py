"""A process ends with its parent, in whatever moment that is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

#: forks a process that waits for its parent's end where it is told to, and asks to end with it
PROGRAM = """
import os, signal, sys, time
from dcor_pkg.runtime import parent
own = os.getpid()
if os.fork() == 0:
    print("forked", flush=True)
    while sys.argv[1] == "late" and os.getppid() == own:
        time.sleep(0.01)
    parent.end_with(own, signal.SIGKILL)
    print("asked", flush=True)
time.sleep(30)
"""
TREE = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("when", "words"), [("early", ["asked\n"]), ("late", [])])
def test_a_child_ends_with_its_parent_also_with_one_that_was_killed_before_it_could_ask(
    when: str, words: list[str]
) -> None:
    argv = [sys.executable, "-c", PROGRAM, when]
    with subprocess.Popen(argv, cwd=TREE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "forked\n"
        found = [process.stdout.readline() for _ in words]
        begun = time.monotonic()
        process.kill()
        found += process.stdout.readlines()  # ends when nobody has the other end of the pipe any more
        assert (found, time.monotonic() - begun < 20) == (words, True)
