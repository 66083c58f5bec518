"""By night the jobs are queued of resources that lack their condensed file or preview."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.runtime.conftest import BUCKET, NOW, Runtime

IDENTITY = "00000001-0000-0000-0000-000000000000"
CONDENSE, DRAW = "dataset_0_condense", "dataset_0_draw"


def row(state: str = "active", **content: Any) -> Any:
    """Return a resource as CKAN's model has it."""
    whole = {"package_id": "dataset", "position": 0, "name": "a.rtdc", "mimetype": "RT-DC", **content}
    return SimpleNamespace(state=state, as_dict=lambda: dict(whole))


def store(runtime: Runtime, *kinds: str) -> None:
    """Let the store and the database contain a resource with these objects."""
    runtime.database[IDENTITY] = runtime.resources.Access.PRIVATE
    runtime.resource_rows.setdefault(IDENTITY, row())
    for kind in kinds:
        it = BUCKET, f"{kind}/{IDENTITY[:3]}/{IDENTITY[3:6]}/{IDENTITY[6:]}"
        runtime.store.tags[it], runtime.store.modified[it] = {}, NOW


@pytest.mark.parametrize(
    ("kinds", "jobs"),
    [
        (("resource",), {CONDENSE, DRAW}),
        (("resource", "condensed"), {DRAW}),
        (("resource", "preview"), {CONDENSE}),
        (("resource", "condensed", "preview"), set()),
        (("condensed",), set()),
    ],
)
def test_what_a_resource_lacks_is_made(runtime: Runtime, kinds: tuple[str, ...], jobs: set[str]) -> None:
    store(runtime, *kinds)
    assert runtime.reconcile.run(7)["queued"] == len(jobs)
    assert runtime.redis.jobs == dict.fromkeys(jobs, "queued")


@pytest.mark.parametrize(
    "other",
    [
        None,
        row(state="deleted"),
        row(name="a.txt", mimetype="text/plain"),
        row(name="a.txt", mimetype=None),
    ],
)
def test_nothing_is_made_of_what_is_no_measurement(runtime: Runtime, other: Any) -> None:
    runtime.resource_rows[IDENTITY] = other
    store(runtime, "resource")
    assert runtime.reconcile.run(7)["queued"] == 0


def test_a_measurement_without_a_type_is_known_by_its_name(runtime: Runtime) -> None:
    runtime.resource_rows[IDENTITY] = row(mimetype=None)
    store(runtime, "resource")
    assert runtime.reconcile.run(7)["queued"] == 2


@pytest.mark.parametrize("state", ["queued", "started", "deferred", "scheduled"])
def test_a_job_that_waits_or_runs_is_left_alone(runtime: Runtime, state: str) -> None:
    store(runtime, "resource", "preview")
    runtime.redis.jobs[CONDENSE] = state
    assert runtime.reconcile.run(7)["queued"] == 0
    assert runtime.redis.jobs == {CONDENSE: state}


@pytest.mark.parametrize("state", ["failed", "finished"])
def test_one_that_has_ended_is_queued_again_although_rq_remembers_it(runtime: Runtime, state: str) -> None:
    store(runtime, "resource", "preview")
    runtime.redis.jobs[CONDENSE] = state
    assert runtime.reconcile.run(7)["queued"] == 1
    assert runtime.redis.jobs == {CONDENSE: "queued"}


def test_a_file_that_cannot_be_read_is_tried_three_times_a_month(runtime: Runtime) -> None:
    store(runtime, "resource", "preview")
    queued = []
    for _ in range(5):
        queued.append(runtime.reconcile.run(7)["queued"])
        runtime.redis.jobs[CONDENSE] = "failed"
    assert queued == [1, 1, 1, 0, 0]
    assert runtime.redis.expiries == {f"dcor:attempts:{CONDENSE}": 30 * 24 * 3600}
