"""Show background jobs, and queue again or forget those that failed: `python -m dcor_runtime.jobs ACTION [ID]`.

ACTION is list, show, retry, forget or retry-passing; ID may be "all" for those that failed. Prints JSON.
A job's arguments and RQ's description of it, which has them as well, are not shown: they may contain secrets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ckan.lib import jobs as ckan_jobs
from dcor_runtime import application, failures
from rq.exceptions import DeserializationError

FAILED, UNDER_WAY, WAITING = "failed", "under way", "waiting"
#: of a queue, in which state the jobs of each registry are
REGISTRIES = {
    "failed_job_registry": FAILED,
    "started_job_registry": UNDER_WAY,
    "deferred_job_registry": WAITING,
    "scheduled_job_registry": WAITING,
}
ALL = "all"
#: in the `meta` of a job: it was queued again by night
RETRIED = "dcor_retried"
NO_FAILURE = failures.Failure("", "", "", ())


@dataclass(frozen=True)
class Found:
    """A job of RQ, in a queue of CKAN."""

    queue: Any
    job: Any
    state: str

    @property
    def failure(self) -> failures.Failure:
        """Why it failed; without the message where the arguments cannot be read that it may contain."""
        if self.state != FAILED:
            return NO_FAILURE
        traceback = self.job.exc_info or ""
        try:
            return failures.of(traceback, [self.job.args, self.job.kwargs])
        except DeserializationError:
            return failures.of(failures.ENDING.sub(_without_message, traceback), [])

    @property
    def function(self) -> str:
        """The name of the function; empty where the code that it was queued by is gone."""
        try:
            return str(self.job.func_name)
        except DeserializationError:
            return ""

    def summary(self) -> dict[str, Any]:
        """Return what a list shows."""
        failure = self.failure
        return {
            "id": self.job.id,
            "queue": ckan_jobs.remove_queue_name_prefix(self.queue.name),
            "state": self.state,
            "title": self.job.meta.get("title") or self.function,
            "since": _moment(self.job.ended_at or self.job.started_at or self.job.enqueued_at or self.job.created_at),
            "exception": failure.exception,
            "message": failure.message,
            "passing": failure.reason,
        }

    def details(self) -> dict[str, Any]:
        """Return all that is shown of a job."""
        moments = {
            name: _moment(getattr(self.job, f"{name}_at")) for name in ("created", "enqueued", "started", "ended")
        }
        rest = {"retried": bool(self.job.meta.get(RETRIED)), "calls": list(self.failure.places)}
        return {**self.summary(), "function": self.function, **moments, **rest}


def run(action: str, identity: str = "") -> dict[str, Any]:
    """Do it. An id that no job has gives no jobs; one that did not fail is neither queued again nor forgotten."""
    jobs = [it for it in found() if identity in ("", it.job.id) or (identity == ALL and it.state == FAILED)]
    if action == "list":
        return {"jobs": [it.summary() for it in jobs]}
    if action == "show":
        return {"jobs": [it.details() for it in jobs]}
    if action == "retry-passing":
        jobs = [it for it in jobs if it.failure.reason and not it.job.meta.get(RETRIED)]
    failed = [it for it in jobs if it.state == FAILED]
    result = {"jobs": [it.summary() for it in jobs], "done": [it.job.id for it in failed]}
    for it in failed:
        ACTIONS[action](it)
    return result


def found() -> Iterator[Found]:
    """Give the jobs of all queues: those that failed first, and of the others those that somebody works on."""
    for queue in sorted(ckan_jobs.get_all_queues(), key=lambda queue: str(queue.name)):
        # Not `registry.get_job_ids`, which gives up jobs whose worker is away for a moment (lost_jobs.py).
        ids = [
            *((it, state) for name, state in REGISTRIES.items() for it in _members(queue, getattr(queue, name).key)),
            *((it, WAITING) for it in queue.get_job_ids()),
        ]
        jobs = ((queue.fetch_job(it), state) for it, state in ids)
        yield from (Found(queue, job, state) for job, state in jobs if job is not None)


def _members(queue: Any, key: str) -> list[str]:
    return [identity.decode() for identity in queue.connection.zrange(key, 0, -1)]


def _retry(it: Found) -> None:
    it.queue.failed_job_registry.requeue(it.job)


def _retry_passing(it: Found) -> None:
    """Queue a job again, and record it: by night this is done once, for the reason may not pass after all."""
    it.job.meta[RETRIED] = True
    it.job.save_meta()
    _retry(it)


def _forget(it: Found) -> None:
    """Remove a job, and those that wait for it: they would wait for ever."""
    it.job.delete(delete_dependents=True)


ACTIONS = {"retry": _retry, "retry-passing": _retry_passing, "forget": _forget}


def _moment(moment: Any) -> str:
    """Return a time; RQ has them in UTC, without saying so."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _without_message(ending: Any) -> str:
    """Return the ending of a traceback up to the name of the exception."""
    return str(ending[0][: ending.end("name") - ending.start()])


if __name__ == "__main__":
    application.load()
    print(json.dumps(run(*sys.argv[1:])))
