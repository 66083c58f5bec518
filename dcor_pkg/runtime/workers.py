"""Load CKAN once, and fork the job workers: `python -m dcor_runtime.workers jobs worker QUEUES...`.

Each argument makes a worker: for one queue, or for several, with commas, of which the first comes first.

TERM lets each worker finish its present job (RQ's warm shutdown). A worker that ends by itself is forked again, and
what it has left is queued again (lost_jobs.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import dclab  # noqa: F401  (the jobs import it late; imported here, all workers share its memory)
from ckan.lib import jobs
from dcor_runtime import application, lost_jobs, parent

SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: before a worker is forked again, so that one that ends at once does not occupy the machine
PAUSE_SECONDS = 1.0
#: Where the kernel needs memory, a job is killed first: it is queued again. The units have the order of the others.
JOB, WORKER = 800, 500


def main(queues: list[str]) -> int:
    """Run the workers until TERM. Return 0."""
    offer_to_be_killed(WORKER)
    application.load()
    application.drop_connections(close=True)
    workers = Workers()
    for number in SIGNALS:
        signal.signal(number, workers.stop)
    for queue in queues:
        workers.start(queue)
    workers.wait()
    return 0


class Workers:
    """The processes, and the queues of each. Each gets TERM once: RQ takes the second for "kill the job"."""

    def __init__(self) -> None:
        self._queues: dict[int, str] = {}
        self._told: set[int] = set()
        self._stopping = False

    def stop(self, *_: object) -> None:
        """Let all end after their present jobs."""
        self._stopping = True
        for worker in set(self._queues) - self._told:
            self._told.add(worker)
            # It may have ended by itself a moment ago.
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGTERM)

    def start(self, queue: str) -> None:
        """Fork a worker for one queue, or several with commas, unless all shall end."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        if not self._stopping:
            own, worker = os.getpid(), os.fork()
            if worker == 0:
                _work(queue, own)
            self._queues[worker] = queue
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def wait(self) -> None:
        """Wait until all have ended, and fork those again that end before they were told to."""
        while self._queues:
            worker, status = os.wait()
            queue = self._queues.pop(worker)
            self._told.discard(worker)
            code = os.waitstatus_to_exitcode(status)
            print(f"The worker for the queue {queue} ended with {code}.", flush=True)
            if not self._stopping:
                time.sleep(PAUSE_SECONDS)
                self.start(queue)


class Worker(jobs.Worker):  # type: ignore[misc]  # of no known type
    """CKAN's worker, which finishes its job whatever signal comes, and repeats what was killed."""

    def clean_registries(self) -> None:
        """Look for what others have left: RQ does so when a worker starts, and every ten minutes."""
        lost_jobs.queue_again(self)
        super().clean_registries()

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """Ignore a second signal, whoever sends it: supervisor kills what does not end in time."""
        self.log.info("The worker ends when its job has.")

    def main_work_horse(self, job: Any, queue: Any) -> None:
        """Do a job, in a process of its own. It ends with the worker, which would not know that it goes on."""
        parent.end_with(self.pid, signal.SIGKILL)
        offer_to_be_killed(JOB)
        super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Any, *killed: Any) -> None:
        """Let RQ queue a job again whose process was killed, for its memory perhaps; once."""
        super().handle_work_horse_killed(job, *killed)
        if lost_jobs.may_be_repeated(job):
            job.retries_left = 1


def _work(queue: str, starter: int) -> NoReturn:
    """Work until TERM. If the `starter` is killed, the kernel sends its workers TERM as well."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    parent.end_with(starter, signal.SIGTERM)
    application.drop_connections(close=False)
    name = lost_jobs.new_name()
    lost_jobs.hold(name)
    Worker(queue.split(","), name=name).work()
    lost_jobs.forget(name)
    os._exit(0)


def offer_to_be_killed(score: int) -> None:
    """Come before others, and all children too, when the kernel needs memory (proc(5), "oom_score_adj")."""
    # In some containers that file cannot be written; jobs have to be done there as well.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(f"{score}\n", encoding="ascii")


if __name__ == "__main__":
    # By the first two words ckanext-dcor_schemas recognises a job worker (IS_BACKGROUND_JOB in its plugin.py).
    sys.exit(main(sys.argv[3:]))
