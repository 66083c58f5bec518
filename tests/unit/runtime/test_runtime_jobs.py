"""Background jobs are found in the registries of all queues; those that failed are queued again, or forgotten."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.runtime.conftest import DeserializationError, Runtime
from tests.unit.runtime.test_failures import CALLS, REFUSED

#: RQ has no time zone in its times
BEGUN = datetime(2026, 11, 27, 8, 30, 1, tzinfo=timezone.utc).replace(tzinfo=None)
REGISTRIES = ("failed", "started", "deferred", "scheduled")


@dataclass
class Job:
    """A job of RQ."""

    id: str
    exc_info: str | None = None
    arguments: Any = ()
    meta: dict[str, Any] = field(default_factory=lambda: {"title": "Create a preview"})
    created_at: datetime | None = BEGUN
    enqueued_at: datetime | None = BEGUN
    started_at: datetime | None = None
    ended_at: datetime | None = None
    saved: dict[str, Any] = field(default_factory=dict)
    deleted: list[bool] = field(default_factory=list)

    @property
    def args(self) -> Any:
        if self.arguments is None:
            raise DeserializationError
        return self.arguments

    @property
    def func_name(self) -> str:
        return f"ckanext.{self.args and 'dc_view'}.jobs"

    @property
    def kwargs(self) -> dict[str, Any]:
        return {}

    def save_meta(self) -> None:
        self.saved = dict(self.meta)

    def delete(self, delete_dependents: bool) -> None:
        self.deleted.append(delete_dependents)


class Queue:
    """A queue of RQ, its registries, and the Redis that holds them."""

    def __init__(self, name: str, **places: list[Job]) -> None:
        self.name, self.connection = f"ckan:default:{name}", self
        self.places = places
        self.jobs = {job.id: job for jobs in places.values() for job in jobs}
        self.again: list[str] = []
        for registry in REGISTRIES:
            setattr(self, f"{registry}_job_registry", SimpleNamespace(key=registry, requeue=self._requeue))

    def zrange(self, key: str, first: int, last: int) -> list[bytes]:
        assert (first, last) == (0, -1)
        # The last one has expired: RQ forgets a job before its id.
        return [*(job.id.encode() for job in self.places.get(key, [])), b"expired"]

    def get_job_ids(self) -> list[str]:
        return [job.id for job in self.places.get("queued", [])]

    def fetch_job(self, identity: str) -> Job | None:
        return self.jobs.get(identity)

    def _requeue(self, job: Job) -> None:
        self.again.append(job.id)


@pytest.fixture
def jobs(runtime: Runtime) -> Any:
    """Return the module; `runtime.jobs` is something else."""
    return importlib.import_module("dcor_runtime.jobs")


@pytest.fixture
def queue(runtime: Runtime) -> Queue:
    """Return a queue with a job in each registry, and two that failed; another queue is empty."""
    broken = Job("broken", f"{CALLS}ValueError: a-secret\n", arguments=["a-secret"], started_at=BEGUN)
    refused = Job("refused", REFUSED, ended_at=BEGUN.replace(hour=9))
    queue = Queue(
        "long",
        failed=[broken, refused],
        started=[Job("working")],
        deferred=[Job("dependent")],
        scheduled=[Job("later")],
        queued=[Job("next", meta={}, arguments=["x"])],
    )
    runtime.queues += [queue, Queue("default")]
    return queue


def states(result: Any) -> dict[str, str]:
    return {it["id"]: it["state"] for it in result["jobs"]}


def test_all_jobs_of_all_queues_are_listed_with_their_states(jobs: Any, queue: Queue) -> None:
    result = json.loads(json.dumps(jobs.run("list")))
    assert states(result) == {
        "broken": "failed",
        "refused": "failed",
        "working": "under way",
        "dependent": "waiting",
        "later": "waiting",
        "next": "waiting",
    }
    assert result["jobs"][1] == {
        "id": "refused",
        "queue": "long",
        "state": "failed",
        "title": "Create a preview",
        "since": "2026-11-27T09:30:01Z",
        "exception": "requests.exceptions.ConnectionError",
        "message": "refused",
        "passing": "a service did not answer",
    }
    assert result["jobs"][-1]["title"] == "ckanext.dc_view.jobs"


def test_no_argument_is_shown(jobs: Any, queue: Queue) -> None:
    for result in (jobs.run("list"), jobs.run("show", "broken")):
        assert "secret" not in json.dumps(result)
    assert jobs.run("show", "broken")["jobs"][0]["message"] == "..."


def test_of_a_job_whose_arguments_cannot_be_read_only_the_exception_is_shown(jobs: Any, queue: Queue) -> None:
    queue.jobs["broken"].arguments = None
    (shown,) = jobs.run("show", "broken")["jobs"]
    assert (shown["exception"], shown["message"], shown["function"]) == ("ValueError", "", "")
    assert len(shown["calls"]) == 2


def test_one_job_is_shown_with_all_its_times_and_calls(jobs: Any, queue: Queue) -> None:
    (shown,) = jobs.run("show", "refused")["jobs"]
    assert (shown["started"], shown["ended"]) == ("", "2026-11-27T09:30:01Z")
    assert (shown["retried"], shown["calls"][1]) == (False, "/release/ckanext/dc_view/jobs.py:51 create_preview_job")


def test_an_id_that_no_job_has_gives_none(jobs: Any, queue: Queue) -> None:
    assert jobs.run("show", "other") == {"jobs": []}
    assert jobs.run("retry", "other") == {"jobs": [], "done": []}


@pytest.mark.parametrize(("identity", "expected"), [("broken", ["broken"]), ("all", ["broken", "refused"])])
def test_a_job_that_failed_is_queued_again(jobs: Any, queue: Queue, identity: str, expected: list[str]) -> None:
    assert jobs.run("retry", identity)["done"] == expected
    assert queue.again == expected


@pytest.mark.parametrize("action", ["retry", "forget"])
@pytest.mark.parametrize("identity", ["working", "next", "dependent"])
def test_one_that_has_not_failed_is_left_alone(jobs: Any, queue: Queue, action: str, identity: str) -> None:
    result = jobs.run(action, identity)
    assert ([*states(result)], result["done"]) == ([identity], [])
    assert (queue.again, queue.jobs[identity].deleted) == ([], [])


def test_a_job_that_is_forgotten_takes_those_along_that_wait_for_it(jobs: Any, queue: Queue) -> None:
    assert jobs.run("forget", "broken")["done"] == ["broken"]
    assert (queue.jobs["broken"].deleted, queue.jobs["refused"].deleted) == ([True], [])


def test_by_night_a_job_whose_reason_passes_is_queued_again_once(jobs: Any, queue: Queue) -> None:
    assert jobs.run("retry-passing")["done"] == ["refused"]
    assert queue.jobs["refused"].saved["dcor_retried"] is True
    assert jobs.run("show", "refused")["jobs"][0]["retried"] is True
    assert jobs.run("retry-passing")["done"] == []
    assert queue.again == ["refused"]
