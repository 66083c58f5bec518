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
    """The queues: each has no problem, or one."""

    problems: dict[str, str] = field(default_factory=dict)

    def examine(self, queues: dict[str, str], limit: float) -> dict[str, dict[str, Any]]:
        """Stand for dcor_runtime.queues."""
        assert limit == 30.0
        return {name: {"problem": self.problems.get(queue)} for name, queue in queues.items()}


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
    monkeypatch.setattr(sys.modules["ckan.lib"], "jobs", SimpleNamespace(get_queue=lambda name: name), raising=False)
    monkeypatch.setattr(runtime.deep_health, "jobs", sys.modules["ckan.lib"].jobs)
    monkeypatch.setattr(runtime.deep_health, "queues", queues)
    monkeypatch.setattr(sys.modules["dcor_runtime.application"], "load", lambda: None, raising=False)
    database = module("dcor_runtime.database", trial_token=lambda: TOKEN)
    monkeypatch.setitem(sys.modules, "dcor_runtime.database", database)
    monkeypatch.setattr(sys.modules["dcor_runtime"], "database", database, raising=False)
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


def test_a_problem_is_told_with_its_queue(runtime: Runtime, queues: Queues, objects: Objects) -> None:
    queues.problems["default"] = "takes no job"
    assert runtime.deep_health.queue_problems(QUEUES) == [None, "takes no job of the queue default"]


def test_the_job_of_the_queues_does_nothing(runtime: Runtime) -> None:
    assert pkgutil.resolve_name(runtime.deep_health.queues.JOB)() is None
