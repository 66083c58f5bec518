"""A release stores an object and does a job of each queue, and says what it cannot do; who is busy is not blamed."""

from __future__ import annotations

import json
import pkgutil
import sys
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

from dcor_pkg.runtime import store_mark
from tests.unit.runtime.conftest import BUCKET, IDENTITY, Runtime, StoreError, module

QUEUES = ["dcor-short", "default"]
TOKEN = "header.payload.signature"


@dataclass
class Queues:
    """RQ: the job of each queue ends with a status at once, or waits."""

    statuses: dict[str, str] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    options: dict[str, Any] = field(default_factory=dict)

    def enqueue(self, job: str, *, title: str, queue: str, rq_kwargs: dict[str, Any]) -> Any:
        assert (pkgutil.resolve_name(job)(), title, rq_kwargs["at_front"]) == (None, "health", True)
        self.left.add(queue)
        return SimpleNamespace(
            get_status=lambda: self.statuses.get(queue, "finished"), delete=lambda: self.left.discard(queue)
        )

    @staticmethod
    def get_queue(name: str) -> str:
        return name

    def all(self, queue: str) -> list[Any]:
        """Stand for Worker.all."""
        return [SimpleNamespace(get_state=lambda: "busy" if queue in self.busy else "idle")]


@dataclass
class Objects:
    """The client of a store, with its objects by their keys."""

    buckets: list[str]
    objects: dict[str, bytes] = field(default_factory=dict)
    #: every object that was stored
    stored: list[tuple[str, str]] = field(default_factory=list)
    fault: str = ""

    def list_buckets(self) -> Any:
        return {"Buckets": [{"Name": name} for name in self.buckets]}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        if self.fault:
            raise StoreError(self.fault)
        self.objects[Key] = Body
        self.stored.append((Bucket, Key))

    def get_object(self, *, Bucket: str, Key: str) -> Any:  # noqa: N803
        return {"Body": BytesIO(self.objects[Key])}

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        del self.objects[Key]


@pytest.fixture
def queues(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Queues:
    """Return the queues; CKAN is loaded at once."""
    queues = Queues()
    monkeypatch.setattr(sys.modules["ckan.lib"], "jobs", queues)
    monkeypatch.setattr(sys.modules["rq"], "Worker", queues, raising=False)
    monkeypatch.setattr(sys.modules["dcor_runtime.application"], "load", lambda: None, raising=False)
    database = module("dcor_runtime.database", trial_token=lambda: TOKEN)
    monkeypatch.setitem(sys.modules, "dcor_runtime.database", database)
    monkeypatch.setattr(sys.modules["dcor_runtime"], "database", database, raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(runtime.deep_health, "SECONDS", 0)
    return queues


@pytest.fixture
def objects(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """Return a store with the mark of the database in use, and a circle's bucket."""
    objects = Objects([store_mark.name("server", IDENTITY), "other", BUCKET])
    monkeypatch.setattr(sys.modules["dcor_shared"].s3, "get_s3", lambda: (objects,))
    return objects


def said(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> Any:
    assert runtime.deep_health.main(QUEUES) == 0
    return json.loads(capsys.readouterr().out)


def test_a_healthy_release_gives_a_token_and_leaves_nothing(
    runtime: Runtime, queues: Queues, objects: Objects, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(runtime, capsys) == {"problems": [], "token": TOKEN}
    assert (objects.stored, objects.objects) == ([(BUCKET, "dcor-server/health")], {})
    assert queues.left == set()


def test_a_store_that_refuses_is_named(
    runtime: Runtime, queues: Queues, objects: Objects, capsys: pytest.CaptureFixture[str]
) -> None:
    objects.fault = "AccessDenied"
    assert said(runtime, capsys)["problems"] == ["cannot store, read and delete an object: AccessDenied"]


@pytest.mark.parametrize("buckets", [[store_mark.name("server", IDENTITY)], [BUCKET]], ids=["no circle", "no mark"])
def test_a_release_is_not_blamed_for_the_store(
    runtime: Runtime,
    queues: Queues,
    objects: Objects,
    capsys: pytest.CaptureFixture[str],
    buckets: list[str],
) -> None:
    objects.buckets = buckets
    assert said(runtime, capsys)["problems"] == []
    assert objects.stored == []


@pytest.mark.parametrize(
    ("status", "busy", "problems"),
    [
        ("queued", False, ["takes no job of the queue default"]),
        ("queued", True, []),
        ("failed", True, ["cannot do a job of the queue default"]),
    ],
)
def test_a_job_that_is_not_done_is_told_by_its_queue(
    runtime: Runtime, queues: Queues, objects: Objects, status: str, busy: bool, problems: list[str]
) -> None:
    queues.statuses["default"] = status
    queues.busy = {"default"} if busy else set()
    assert list(filter(None, runtime.deep_health.queue_problems(QUEUES))) == problems
    assert queues.left == set()
