"""The nightly job withdraws what is not public, removes what was purged, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.runtime.conftest import BUCKET, NOW, Runtime

OLD = NOW - timedelta(days=8)
PURGED_LONG_AGO = OLD.isoformat(timespec="seconds")


def identity(number: int) -> str:
    return f"{number:08x}-0000-0000-0000-000000000000"


def known(runtime: Runtime, number: int, access: str) -> str:
    """Let the database contain a resource, and return its id."""
    runtime.database[identity(number)] = runtime.resources.Access(access)
    return identity(number)


def test_objects_get_the_tags_that_the_database_demands(runtime: Runtime) -> None:
    private = runtime.store.put(known(runtime, 1, "private"), public="true")
    public = runtime.store.put(known(runtime, 2, "public"))
    right = runtime.store.put(known(runtime, 3, "public"), public="true")
    done = runtime.reconcile.run(7)
    assert [runtime.store.tags[it] for it in (private, public, right)] == [{}, {"public": "true"}, {"public": "true"}]
    assert done == {
        "objects": 3,
        "purged": 0,
        "unknown": 0,
        "suspicious": False,
        "retagged": 2,
        "removed": 0,
        "queued": 0,
    }


def test_what_was_purged_is_removed_after_its_time(runtime: Runtime) -> None:
    gone = runtime.store.put(identity(1), modified=OLD, purged=PURGED_LONG_AGO)
    kept = {
        "purged today": runtime.store.put(identity(2), modified=OLD, purged=NOW.isoformat(timespec="seconds")),
        "in a restored database": runtime.store.put(known(runtime, 3, "private"), modified=OLD, purged=PURGED_LONG_AGO),
        "unknown": runtime.store.put(identity(4), modified=OLD),
        "an upload": runtime.store.put(identity(5)),
        "of another program": runtime.store.put(identity(6), bucket="backups", modified=OLD, purged=PURGED_LONG_AGO),
        "with another key": (BUCKET, "resource/abc/x"),
    }
    runtime.store.tags[kept["with another key"]] = {"purged": PURGED_LONG_AGO}
    runtime.store.modified[kept["with another key"]] = OLD
    done = runtime.reconcile.run(7)
    assert set(runtime.store.tags) == set(kept.values())
    assert gone not in runtime.store.tags
    assert (done["removed"], done["purged"], done["unknown"]) == (1, 2, 1)
    assert runtime.store.tags[kept["in a restored database"]] == {}


def test_what_the_database_does_not_know_is_withdrawn_unless_it_is_young(runtime: Runtime) -> None:
    old = runtime.store.put(identity(1), modified=OLD, public="true")
    young = runtime.store.put(identity(2), public="true")
    runtime.reconcile.run(7)
    assert (runtime.store.tags[old], runtime.store.tags[young]) == ({}, {"public": "true"})


@pytest.mark.parametrize(("unknown", "others", "suspicious"), [(10, 0, False), (11, 208, True), (11, 209, False)])
def test_where_many_are_unknown_the_database_is_suspected(
    runtime: Runtime, unknown: int, others: int, suspicious: bool
) -> None:
    lost = [runtime.store.put(identity(number), modified=OLD, public="true") for number in range(unknown)]
    for number in range(unknown, unknown + others):
        runtime.store.put(known(runtime, number, "public"), public="true")
    done = runtime.reconcile.run(7)
    assert (done["unknown"], done["suspicious"]) == (unknown, suspicious)
    assert {it: runtime.store.tags[it] for it in lost} == dict.fromkeys(lost, {"public": "true"} if suspicious else {})


def test_an_administrator_lists_and_removes_unknown_objects(runtime: Runtime) -> None:
    bucket, key = runtime.store.put(identity(1), modified=OLD)
    runtime.store.put(identity(2))
    runtime.store.put(identity(3), modified=OLD, purged=PURGED_LONG_AGO)
    runtime.store.put(known(runtime, 4, "private"), modified=OLD)
    seen = runtime.unknown_objects.run(7, remove=False)
    assert [it["object"] for it in seen["unknown"]] == [f"{bucket}/{key}"]
    assert (seen["removed"], len(runtime.store.tags)) == (0, 4)
    assert runtime.unknown_objects.run(7, remove=True)["removed"] == 1
    assert ((bucket, key) in runtime.store.tags, len(runtime.store.tags)) == (False, 3)


def test_what_the_database_contains_by_now_is_not_removed(runtime: Runtime) -> None:
    runtime.store.put(identity(1), modified=OLD)
    (it,) = runtime.stored.compare(7).unknown
    known(runtime, 1, "private")
    assert not runtime.stored.remove(it)
    assert len(runtime.store.tags) == 1
