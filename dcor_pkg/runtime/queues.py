"""Put a job into each queue, and count those that wait or have failed: `python -m dcor_runtime.queues INI QUEUE...`.

CKAN is not loaded, which takes seconds: the jobs are the workers' to do. INI is the configuration of the programs; it
is not in this program's environment, by which theirs are known (ckan/processes.py). Prints JSON: for each queue the
`problem`, or null; after how many `seconds` the job was done; whether the worker is `busy` with another one; how many
are `waiting`, and how many have `failed`.
"""

from __future__ import annotations

import configparser
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import redis
from rq import Queue, Worker

#: for the jobs; and how long anything of them may be left in Redis
SECONDS, LEFT_SECONDS, PAUSE_SECONDS = 4.5, 60, 0.05
#: the job that the proof of a release does, so that workers of former releases know it as well
JOB = "dcor_runtime.deep_health.answer"
#: the states of a job that nobody has taken yet (rq/job.py, JobStatus)
WAITING = ("queued", "deferred", "scheduled")


def main(ini: str, *names: str) -> int:
    """Print what was found. Return 1, with Redis's words, where it cannot be asked."""
    address, prefix = configured(Path(ini))
    connection = redis.Redis.from_url(address, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        print(json.dumps(examine({name: Queue(f"{prefix}{name}", connection=connection) for name in names})))
    except redis.RedisError as error:
        print(f"Redis: {error}", file=sys.stderr)
        return 1
    return 0


def configured(ini: Path) -> tuple[str, str]:
    """Return the address of Redis, and what begins the names of CKAN's queues (ckan/lib/jobs.py)."""
    parser = configparser.ConfigParser({"here": str(ini.parent), "__file__": str(ini)}, strict=False)
    parser.read(ini, encoding="utf-8")
    return parser["app:main"]["ckan.redis.url"], f"ckan:{parser['app:main']['ckan.site_id']}:"


def examine(
    queues: Mapping[str, Any],
    limit: float = SECONDS,
    workers: Callable[[Any], Iterable[Any]] = lambda queue: Worker.all(queue=queue),
) -> dict[str, dict[str, Any]]:
    """Return what is known of each queue after `limit` seconds at most.

    A job that its worker has taken when the time is over counts as done.
    """
    counts = {it: {"waiting": queue.count, "failed": queue.failed_job_registry.count} for it, queue in queues.items()}
    options = {"at_front": True, "ttl": LEFT_SECONDS, "result_ttl": LEFT_SECONDS, "failure_ttl": LEFT_SECONDS}
    jobs = {name: queue.enqueue_call(JOB, meta={"title": "health"}, **options) for name, queue in queues.items()}
    seconds = _done(jobs, limit)
    found = {}
    for name, job in jobs.items():
        status = job.get_status()
        busy = status in WAITING and any(worker.get_state() == "busy" for worker in workers(queues[name]))
        found[name] = {**counts[name], "seconds": seconds.get(name), "busy": busy, "problem": _problem(status, busy)}
        if status != "started":  # that of one which is being done ends by itself
            job.delete()
    return found


def _done(jobs: Mapping[str, Any], limit: float) -> dict[str, float]:
    """Wait for the jobs, and return after how many seconds each had ended."""
    begun, ended = time.monotonic(), dict[str, float]()
    while True:
        for name in set(jobs) - set(ended):
            if jobs[name].get_status() in ("finished", "failed"):
                ended[name] = time.monotonic() - begun
        if len(ended) == len(jobs) or time.monotonic() - begun > limit:
            return ended
        time.sleep(PAUSE_SECONDS)


def _problem(status: str, busy: bool) -> str | None:
    """One that works on a long job takes this one later."""
    if status == "failed":
        return "cannot do a job"
    return "takes no job" if status in WAITING and not busy else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
