"""The job workers: each gets TERM once, and one that is killed is forked again while the others go on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RUNTIME = Path(__file__).resolve().parents[3] / "dcor_pkg" / "runtime"
#: stands for CKAN's workers: records its process and each signal, and ends when a file says that its job is done
JOBS = """
import logging, os, signal, time
class Worker:
    log = logging.getLogger()
    def __init__(self, queues, name):
        self.queue = queues[0]
        self.queues = queues
    def write(self, word):
        with open(self.queue, "a") as file:
            file.write(f"{word} {os.getpid()}\\n")
    def request_stop(self, *_):
        signal.signal(signal.SIGTERM, self.request_force_stop)
        self.write("TERM")
        self.stopping = True
    def request_force_stop(self, *_):
        self.write("COLD")
    stopping = False
    def work(self):
        signal.signal(signal.SIGTERM, self.request_stop)
        with open(f"{self.queue}.order", "w") as file:
            file.writelines(f"{name}\\n" for name in self.queues)
        self.write("began")
        while not (self.stopping and os.path.exists(f"{self.queue}.done")):
            time.sleep(0.02)
        self.write("ended")
"""
FILES = {
    "ckan/__init__.py": "",
    "ckan/lib/__init__.py": "",
    "ckan/lib/jobs.py": JOBS,
    "dclab.py": "",
    "dcor_runtime/__init__.py": "",
    "dcor_runtime/application.py": "def load(): pass\ndef drop_connections(close): pass\n",
}


class Workers:
    """The process with its two workers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        environment = {**os.environ, "PYTHONPATH": str(directory), "RUNTIME_DIRECTORY": str(directory)}
        argv = [sys.executable, "-m", "dcor_runtime.workers", "jobs", "worker", "short", "long,default"]
        self.process = subprocess.Popen(argv, cwd=directory, env=environment)

    def words(self, queue: str) -> list[str]:
        """Return what the workers of a queue have recorded."""
        path = self._directory / queue
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def order(self, queue: str) -> list[str]:
        """Return all queues of the worker that begins with this one."""
        return (self._directory / f"{queue}.order").read_text().splitlines()

    def worker(self, queue: str) -> int:
        """Return the process of the last worker of a queue."""
        return int((self._directory / queue).read_text().split()[-1])

    def finish(self, queue: str) -> None:
        """Let the job of a queue end."""
        (self._directory / f"{queue}.done").touch()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    """Return two workers that work on their first jobs."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("workers.py", "lost_jobs.py", "parent.py"):
        shutil.copy(RUNTIME / name, tmp_path / "dcor_runtime" / name)
    found = Workers(tmp_path)
    try:
        until(lambda: found.words("short") == found.words("long") == ["began"])
        yield found
    finally:
        for queue in ("short", "long"):
            found.finish(queue)
        found.process.terminate()
        found.process.wait(20)


def test_each_gets_term_once_whenever_the_others_end(workers: Workers) -> None:
    assert workers.words("jobs") == workers.words("worker") == []
    workers.process.terminate()
    until(lambda: workers.words("short") == workers.words("long") == ["began", "TERM"])
    workers.finish("short")
    until(lambda: workers.words("short")[-1] == "ended")
    workers.process.terminate()
    time.sleep(0.3)
    workers.finish("long")
    assert workers.process.wait(20) == 0
    assert workers.words("short") == workers.words("long") == ["began", "TERM", "ended"]


def test_one_that_is_killed_is_forked_again_while_the_others_go_on(workers: Workers) -> None:
    before = workers.worker("short")
    os.kill(before, signal.SIGKILL)
    until(lambda: workers.words("short") == ["began", "began"])
    assert workers.worker("short") != before
    assert workers.words("long") == ["began"]


def test_one_that_is_killed_after_term_is_not_forked_again(workers: Workers) -> None:
    workers.process.terminate()
    until(lambda: workers.words("short") == workers.words("long") == ["began", "TERM"])
    os.kill(workers.worker("short"), signal.SIGKILL)
    workers.finish("long")
    assert workers.process.wait(20) == 0
    assert workers.words("short") == ["began", "TERM"]


def test_workers_whose_parent_is_killed_finish_their_jobs(workers: Workers) -> None:
    workers.process.kill()
    until(lambda: workers.words("short") == workers.words("long") == ["began", "TERM"])
    for queue in ("short", "long"):
        workers.finish(queue)
    until(lambda: workers.words("short") == workers.words("long") == ["began", "TERM", "ended"])


def test_a_second_term_from_elsewhere_does_not_kill_the_job(workers: Workers) -> None:
    workers.process.terminate()
    until(lambda: workers.words("long") == ["began", "TERM"])
    os.kill(workers.worker("long"), signal.SIGTERM)
    workers.finish("long")
    until(lambda: workers.words("long")[-1] == "ended")
    assert "COLD" not in workers.words("long")


def test_a_worker_of_several_queues_works_on_all_in_their_order(workers: Workers) -> None:
    assert workers.order("long") == ["long", "default"]
    assert workers.order("short") == ["short"]


def test_where_the_kernel_needs_memory_the_workers_come_before_others(workers: Workers) -> None:
    for process in (workers.process.pid, workers.worker("short"), workers.worker("long")):
        assert Path(f"/proc/{process}/oom_score_adj").read_text() == "500\n"
