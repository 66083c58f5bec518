"""Load CKAN once, and fork a worker for each job queue: `python -m dcor_runtime.workers QUEUE...`.

TERM lets each worker finish its present job (RQ's warm shutdown). When one worker ends, all end, and supervisor starts
them again.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import NoReturn

import dclab  # noqa: F401  (the jobs import it late; imported here, all workers share its memory)
from ckan.lib import jobs
from dcor_runtime import application

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(queues: list[str]) -> int:
    """Run a worker for each queue until one ends. Return 0 if none failed."""
    application.load()
    application.drop_connections(close=True)
    workers = {_fork(queue): queue for queue in queues}

    def stop(*_: object) -> None:
        for worker in workers:
            os.kill(worker, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    failed = False
    while workers:
        worker, status = os.wait()
        print(
            f"The worker for the queue {workers.pop(worker)} ended with {os.waitstatus_to_exitcode(status)}.",
            flush=True,
        )
        failed = failed or status != 0
        stop()
    return int(failed)


def _fork(queue: str) -> int:
    worker = os.fork()
    if worker == 0:
        _work(queue)
    return worker


def _work(queue: str) -> NoReturn:
    """Work until TERM. If the parent is killed, the kernel sends its workers TERM as well."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    application.drop_connections(close=False)
    jobs.Worker([queue]).work()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
