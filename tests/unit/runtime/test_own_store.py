"""Nothing is deleted in the store for a database that its mark does not name, whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dcor_pkg.runtime import store_mark
from tests.unit.runtime.conftest import IDENTITY, NOW, URL, Runtime

OWN = store_mark.name("server", IDENTITY)
OTHER = store_mark.name("server", "7712491835325598394-16390")
RESOURCE = "11111111-0000-0000-0000-000000000000"
SENTENCE = (
    "Nothing is deleted from the object store https://s3, because it does not have the mark of the database ckan_def"
)


def session() -> tuple[Any, dict[str, Callable[..., None]]]:
    """Return a session of boto3, and what it calls before requests."""
    called: dict[str, Callable[..., None]] = {}
    return SimpleNamespace(events=SimpleNamespace(register=called.__setitem__)), called


def test_a_mark_tells_databases_and_servers_apart() -> None:
    assert store_mark.marks([OWN, "circle-1", "dcor-server-check-0123456789abcdef", OTHER]) == {OWN, OTHER}
    assert [store_mark.is_of(mark, IDENTITY) for mark in (OWN, OTHER, OWN[:-1])] == [True, False, False]
    assert [store_mark.is_by(OWN, server) for server in ("server", "another")] == [True, False]
    assert len(OWN) <= 63, "Amazon S3's limit of a bucket's name"


@pytest.mark.parametrize(
    ("buckets", "is_refused"),
    [({OWN}, False), ({OWN, "others"}, False), ({OTHER}, True), ({OWN, OTHER}, True), (set(), True)],
)
def test_each_deletion_is_refused_without_the_mark(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, buckets: set[str], is_refused: bool
) -> None:
    boto, called = session()
    told: list[Any] = []
    monkeypatch.setattr(runtime.copied_ini, "warn", told.append)
    runtime.store.buckets = buckets
    runtime.own_store.guard(boto)
    assert told == [runtime.own_store.config]
    assert {"DeleteObject", "DeleteObjects", "DeleteBucket", "AbortMultipartUpload"} <= {
        name.removeprefix("before-parameter-build.s3.") for name in called
    }
    for refuse in called.values():
        if is_refused:
            with pytest.raises(runtime.own_store.OfAnotherDatabase, match=SENTENCE):
                refuse(params={}, model=None)
        else:
            refuse(params={}, model=None)


def test_the_answer_is_asked_for_again_after_a_time_and_for_another_database(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(runtime.own_store, "time", SimpleNamespace(monotonic=lambda: now))
    for _ in range(3):
        runtime.own_store.require()
    assert runtime.postgresql.connected == [URL]
    other = "postgresql://www-data@/other"
    runtime.postgresql.identities[other] = "7712491835325598394-16390"
    runtime.config["sqlalchemy.url"] = other
    with pytest.raises(runtime.own_store.OfAnotherDatabase, match="the mark of the database other"):
        runtime.own_store.require()
    runtime.store.buckets = {OTHER}
    now += runtime.own_store.SECONDS
    runtime.own_store.require()
    assert runtime.postgresql.connected == [URL, other, other]


def test_what_dcor_server_does_itself_is_refused_before_it_changes_anything(
    runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    old = NOW - timedelta(days=8)
    runtime.store.buckets = {OTHER}
    runtime.store.put(RESOURCE, modified=old, public="true", purged=old.isoformat(timespec="seconds"))
    before = dict(runtime.store.tags)
    jobs: tuple[Callable[[], Any], ...] = (
        lambda: runtime.reconcile.run(7),
        lambda: runtime.unknown_objects.run(7, remove=True),
    )
    for job in jobs:
        with pytest.raises(SystemExit, match=SENTENCE), runtime.own_store.refusal_as_message():
            job()
    assert runtime.store.tags == before
