"""A job is put through each queue, and those that wait and have failed are counted; who is busy is not blamed."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.runtime.conftest import RedisError, Runtime

INI = """\
[DEFAULT]
debug = false
[app:main]
ckan.site_id = default
ckan.redis.url = redis://:se%%20cret@redis.example.org:6379/1
"""


@dataclass
class Queue:
    """One queue of RQ, whose job ends with a status at once."""

    name: str = "default"
    status: str = "finished"
    workers: tuple[str, ...] = ("idle",)
    count: int = 3
    left: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    @property
    def failed_job_registry(self) -> Any:
        return SimpleNamespace(count=2)

    def enqueue_call(self, job: str, **options: Any) -> Any:
        if self.fault:
            raise RedisError(self.fault)
        assert job == "dcor_runtime.deep_health.answer"
        self.options = options
        self.left.append(job)
        return SimpleNamespace(get_status=lambda: self.status, delete=lambda: self.left.remove(job))


@pytest.fixture
def queues(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module, which does not wait."""
    redis = sys.modules["redis"]
    monkeypatch.setattr(redis, "RedisError", RedisError, raising=False)
    monkeypatch.setattr(redis, "Redis", SimpleNamespace(from_url=lambda url, **_: url), raising=False)
    monkeypatch.delitem(sys.modules, "dcor_runtime.queues", raising=False)
    module = importlib.import_module("dcor_runtime.queues")
    monkeypatch.setattr(module, "SECONDS", -1.0)
    return module


def examine(queues: Any, queue: Queue) -> dict[str, Any]:
    states = [SimpleNamespace(get_state=lambda state=state: state) for state in queue.workers]
    found: dict[str, Any] = queues.examine({"default": queue}, -1.0, lambda _: states)["default"]
    return found


def test_a_job_that_is_done_leaves_nothing_and_was_before_all_others(queues: Any) -> None:
    queue = Queue()
    found = examine(queues, queue)
    assert (found["problem"], found["busy"], found["waiting"], found["failed"]) == (None, False, 3, 2)
    assert 0 <= found["seconds"] < 1
    assert (queue.left, queue.options["at_front"]) == ([], True)
    assert queue.options["ttl"] == queue.options["failure_ttl"] == queues.LEFT_SECONDS


@pytest.mark.parametrize(
    ("status", "workers", "problem", "busy"),
    [
        ("queued", ("idle",), "takes no job", False),
        ("queued", (), "takes no job", False),
        ("queued", ("idle", "busy"), None, True),
        ("failed", ("busy",), "cannot do a job", False),
    ],
)
def test_a_job_that_is_not_done_is_a_problem_unless_the_worker_is_busy(
    queues: Any, status: str, workers: tuple[str, ...], problem: str | None, busy: bool
) -> None:
    queue = Queue(status=status, workers=workers)
    found = examine(queues, queue)
    assert (found["problem"], found["busy"], queue.left) == (problem, busy, [])


def test_a_job_that_was_begun_is_left_to_its_worker(queues: Any) -> None:
    queue = Queue(status="started")
    found = examine(queues, queue)
    assert (found["problem"], found["seconds"], len(queue.left)) == (None, None, 1)


def test_redis_and_the_names_of_the_queues_are_those_of_the_configuration(
    queues: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = []

    def queue(name: str, connection: str) -> Queue:
        made.append((name, connection))
        return Queue(name)

    monkeypatch.setattr(queues, "Queue", queue)
    (tmp_path / "ckan.ini").write_text(INI, encoding="utf-8")
    assert queues.main(str(tmp_path / "ckan.ini"), "default", "dcor-short") == 0
    address = "redis://:se%20cret@redis.example.org:6379/1"
    assert made == [("ckan:default:default", address), ("ckan:default:dcor-short", address)]
    assert sorted(json.loads(capsys.readouterr().out)) == ["dcor-short", "default"]


def test_redis_that_refuses_is_quoted(
    queues: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(queues, "Queue", lambda name, connection: Queue(fault="MISCONF no space"))
    (tmp_path / "ckan.ini").write_text(INI, encoding="utf-8")
    assert queues.main(str(tmp_path / "ckan.ini"), "default") == 1
    assert capsys.readouterr().err == "Redis: MISCONF no space\n"
