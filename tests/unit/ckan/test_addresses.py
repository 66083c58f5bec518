"""The server's addresses in a database: replaced when they change, whichever database it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan.addresses import Addresses
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import psql

LOCAL = endpoints.of(settings.Settings()).database
EXTERNAL = endpoints.of(settings.parse({"database": "postgresql://dcor@db.example.org/archive"})).database
STEP = Addresses("https://a.example.org", "https://a.example.org", LOCAL)


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the queries, each with the name of its database."""
    queries: list[tuple[str, str]] = []
    monkeypatch.setattr(psql, "query", lambda _, database, sql: queries.append((database.name, sql)))
    return queries


def test_at_first_they_are_only_recorded(host: Host, queries: list[tuple[str, str]]) -> None:
    run([STEP], host)
    assert run([STEP], host) == [Outcome(STEP.name, Result.UNCHANGED)]
    assert queries == []


def test_addresses_follow_an_external_store_and_the_index_is_rebuilt(
    host: Host, queries: list[tuple[str, str]]
) -> None:
    moved = replace(STEP, store="https://s3.example.org")
    run([STEP], host)
    (outcome,) = run([moved], host)
    assert outcome.reason == "are those of https://a.example.org and https://a.example.org"
    ((_, sql),) = queries
    assert """replace(extras, '"s3_url": "https://a.example.org/', '"s3_url": "https://s3.example.org/')""" in sql
    assert pending.is_pending(host, pending.REBUILD_INDEX)
    assert moved.check(host) is None


def test_a_copy_of_the_last_database_has_the_addresses_of_that(host: Host, queries: list[tuple[str, str]]) -> None:
    run([STEP], host)
    moved = Addresses("https://b.example.org", "https://b.example.org", EXTERNAL)
    run([moved], host)
    ((database, sql),) = queries
    assert (database, "'https://a.example.org/dataset/', 'https://b.example.org/dataset/'" in sql) == ("archive", True)


def test_back_in_a_former_database_its_old_addresses_are_exchanged(host: Host, queries: list[tuple[str, str]]) -> None:
    renamed = replace(STEP, site="https://b.example.org", store="https://b.example.org")
    for step in (STEP, replace(STEP, database=EXTERNAL), replace(renamed, database=EXTERNAL), renamed):
        run([step], host)
    assert [database for database, _ in queries] == ["archive", "ckan_default"]
    assert "'https://a.example.org/dataset/', 'https://b.example.org/dataset/'" in queries[1][1]
    assert run([renamed], host) == [Outcome(renamed.name, Result.UNCHANGED)]
