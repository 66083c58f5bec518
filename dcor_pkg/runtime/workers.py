"""CKAN loaded once, and a forked worker for each job queue: `python -m dcor_runtime.workers QUEUE...`.

TERM lets each worker finish the job in hand (RQ's warm shutdown). When one ends, all end, and
supervisor starts them anew.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import NoReturn

import dclab  # noqa: F401  (the jobs import it late: here it is shared by all workers)
from ckan.lib import jobs
from dcor_runtime import application

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(queues: list[str]) -> int:
    """Run a worker for each queue until one ends; return 0 if all ended well."""
    application.load()
    application.let_go(close=True)
    workers = {_fork(queue): queue for queue in queues}

    def stop(*_: object) -> None:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    failed = False
    while workers:
        worker, status = os.wait()
        print(f"The worker of {workers.pop(worker)} ended with {os.waitstatus_to_exitcode(status)}.", flush=True)
        failed = failed or status != 0
        stop()
    return int(failed)


def _fork(queue: str) -> int:
    worker = os.fork()
    if worker == 0:
        _work(queue)
    return worker


def _work(queue: str) -> NoReturn:
    """Work until told to stop; a parent that is killed takes its workers along."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    application.let_go(close=False)
    jobs.Worker([queue]).work()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
