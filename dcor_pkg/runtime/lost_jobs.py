"""Queue jobs again whose worker was killed, once: a job that kills its worker must not do so for ever.

A worker holds a lock on a file with its name, which the kernel releases when the process ends, however it ends. RQ has
nothing like it: it waits for a heartbeat that stays away, and then gives the job up.
"""

from __future__ import annotations

import fcntl
import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger(f"ckanext.{__name__}")
#: begins the names of our workers; what runs below another supervisor has other names
PREFIX = "dcor-"
#: in the `meta` of a job: it was queued again
AGAIN = "dcor_again"
REASON = "Its worker was killed twice."


def new_name() -> str:
    """Return a name for a worker."""
    return f"{PREFIX}{uuid.uuid4().hex}"


def hold(name: str) -> int:
    """Hold the lock of a worker, for as long as this process lives. Return the descriptor."""
    descriptor = os.open(_lock(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def forget(name: str) -> None:
    """Remove the lock of a worker that has ended."""
    _lock(name).unlink(missing_ok=True)


def is_alive(name: str, connection: Any) -> bool:
    """Return whether a worker lives; of one that is not ours only its last heartbeat is known."""
    if not name.startswith(PREFIX):
        return bool(connection.exists(f"rq:worker:{name}"))
    if not _lock(name).exists():
        return False
    with _lock(name).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    forget(name)
    return False


def queue_again(worker: Any) -> None:
    """Queue the jobs again that a killed worker of the same queues has left."""
    for queue in worker.queues:
        for job in _left(worker, queue):
            _repeat(queue, job)


def may_be_repeated(job: Any) -> bool:
    """Return whether a job was not queued again yet, and record that it is."""
    first = not job.meta.get(AGAIN)
    job.meta[AGAIN] = True
    return first


def _left(worker: Any, queue: Any) -> Iterator[Any]:
    """Give the jobs that nobody works on any more."""
    connection = queue.connection
    for identity in _texts(connection.zrange(queue.started_job_registry.key, 0, -1)):
        job = queue.fetch_job(identity)
        if job is not None and not is_alive(job.worker_name or "", connection):
            yield job
    # Which worker has taken these is not known yet: it is said when the job begins, a moment later.
    others = set(_texts(connection.smembers(f"rq:workers:{queue.name}"))) - {f"rq:worker:{worker.name}"}
    if not any(is_alive(name.removeprefix("rq:worker:"), connection) for name in others):
        yield from filter(None, map(queue.fetch_job, queue.intermediate_queue.get_job_ids()))


def _repeat(queue: Any, job: Any) -> None:
    with queue.connection.pipeline() as pipeline:
        queue.started_job_registry.remove(job, pipeline=pipeline)
        pipeline.lrem(queue.intermediate_queue_key, 1, job.id)
        if may_be_repeated(job):
            log.warning("The worker of job %s was killed; the job is queued again.", job.id)
            queue._enqueue_job(job, pipeline=pipeline, at_front=True)  # noqa: SLF001 (as RQ's own Job.retry does)
        else:
            log.error("The worker of job %s was killed twice; the job is given up.", job.id)
            job.set_status("failed", pipeline=pipeline)
            queue.failed_job_registry.add(job, job.failure_ttl, REASON, pipeline)
        pipeline.execute()


def _lock(name: str) -> Path:
    """Return the file; systemd removes its directory when the unit stops, and nobody else may enter it."""
    return Path(os.environ["RUNTIME_DIRECTORY"], f"{name}.lock")


def _texts(found: Any) -> list[str]:
    return [item.decode() for item in found]
