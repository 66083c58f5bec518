"""Jobs whose worker was killed are queued again, once; those of living workers are left alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dcor_pkg.runtime import lost_jobs


@dataclass
class Job:
    """A job of RQ."""

    id: str
    worker_name: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    failure_ttl: int | None = None
    status: str = "started"

    def set_status(self, status: str, pipeline: Any) -> None:
        self.status = status


@dataclass
class Queue:
    """A queue of RQ with its registries, and the Redis that holds them."""

    name: str = "ckan:default:long"
    jobs: dict[str, Job] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    #: taken by a worker that has not begun
    taken: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    #: names of the workers that Redis knows
    workers: set[str] = field(default_factory=set)
    intermediate_queue_key: str = "intermediate"

    @property
    def connection(self) -> Queue:
        return self

    @property
    def started_job_registry(self) -> Any:
        return SimpleNamespace(key="wip", remove=lambda job, pipeline: self._end(job.id))

    @property
    def failed_job_registry(self) -> Any:
        return SimpleNamespace(add=lambda job, ttl, reason, pipeline: self.failed.update({job.id: reason}))

    @property
    def intermediate_queue(self) -> Any:
        return SimpleNamespace(get_job_ids=lambda: list(self.taken))

    def add(self, identity: str, place: list[str], worker: str | None = None) -> Job:
        place.append(identity)
        return self.jobs.setdefault(identity, Job(identity, worker))

    def fetch_job(self, identity: str) -> Job | None:
        return self.jobs.get(identity)

    def zrange(self, key: str, first: int, last: int) -> list[bytes]:
        assert (key, first, last) == ("wip", 0, -1)
        return [identity.encode() for identity in self.started]

    def smembers(self, key: str) -> set[bytes]:
        assert key == f"rq:workers:{self.name}"
        return {f"rq:worker:{name}".encode() for name in self.workers}

    def exists(self, key: str) -> int:
        return int(key.removeprefix("rq:worker:") in self.workers)

    @contextmanager
    def pipeline(self) -> Iterator[Any]:
        yield SimpleNamespace(lrem=self._remove, execute=lambda: None)

    def _remove(self, key: str, count: int, identity: str) -> None:
        if identity in self.taken:
            self.taken.remove(identity)

    def _end(self, identity: str) -> None:
        if identity in self.started:
            self.started.remove(identity)

    def _enqueue_job(self, job: Job, pipeline: Any, at_front: bool) -> None:
        assert at_front
        self.waiting.insert(0, job.id)
        job.status = "queued"


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Return a queue on which a worker has just begun to work."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return Queue(workers={"dcor-me"})


def look(queue: Queue) -> None:
    lost_jobs.queue_again(SimpleNamespace(name="dcor-me", queues=[queue]))


@pytest.fixture
def alive() -> Iterator[str]:
    """Return the name of a worker that lives, in another open file, as in another process."""
    name = lost_jobs.new_name()
    descriptor = lost_jobs.hold(name)
    yield name
    os.close(descriptor)


@pytest.mark.parametrize("worker", ["dcor-ended", "of another supervisor", None])
def test_a_job_whose_worker_is_gone_is_queued_again(queue: Queue, worker: str | None) -> None:
    job = queue.add("a", queue.started, worker)
    look(queue)
    assert (queue.waiting, queue.started, job.status) == (["a"], [], "queued")


def test_a_job_that_was_killed_twice_is_given_up(queue: Queue) -> None:
    job = queue.add("a", queue.started, "dcor-ended")
    look(queue)
    queue.waiting.clear()
    queue.add("a", queue.started)
    look(queue)
    assert (queue.waiting, queue.started, job.status) == ([], [], "failed")
    assert queue.failed == {"a": "Its worker was killed twice."}


def test_a_job_of_a_living_worker_is_left_alone(queue: Queue, alive: str) -> None:
    queue.add("a", queue.started, alive)
    look(queue)
    assert (queue.waiting, queue.started) == ([], ["a"])


def test_a_job_of_a_worker_of_another_supervisor_is_left_alone_while_redis_knows_it(queue: Queue) -> None:
    queue.workers.add("former")
    queue.add("a", queue.started, "former")
    look(queue)
    assert (queue.waiting, queue.started) == ([], ["a"])


def test_a_worker_lives_until_its_lock_is_gone(queue: Queue, tmp_path: Path) -> None:
    name = lost_jobs.new_name()
    descriptor = lost_jobs.hold(name)
    assert lost_jobs.is_alive(name, queue)
    os.close(descriptor)
    assert not lost_jobs.is_alive(name, queue)
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_was_taken_and_never_begun_is_queued_again(queue: Queue) -> None:
    queue.workers.add("dcor-ended")
    queue.add("a", queue.taken)
    look(queue)
    assert (queue.waiting, queue.taken) == (["a"], [])


def test_a_job_that_was_taken_is_left_alone_while_another_worker_may_begin_it(queue: Queue, alive: str) -> None:
    queue.workers.add(alive)
    queue.add("a", queue.taken)
    look(queue)
    assert (queue.waiting, queue.taken) == ([], ["a"])


def test_what_is_no_job_any_more_is_nothing(queue: Queue) -> None:
    queue.started, queue.taken = ["a"], ["b"]
    look(queue)
    assert queue.waiting == []
