"""The server's addresses in a database: exchanged when they change, whichever database it is."""

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

HERE = endpoints.of(settings.Settings()).database
THERE = endpoints.of(settings.parse({"database": "postgresql://dcor@db.example.org/archive"})).database
OURS = Addresses("https://a.example.org", "https://a.example.org", HERE)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return what is asked of which database."""
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(psql, "query", lambda _, database, sql: asked.append((database.name, sql)))
    return asked


def test_at_first_they_are_noted(host: Host, asked: list[tuple[str, str]]) -> None:
    run([OURS], host)
    assert run([OURS], host) == [Outcome(OURS.name, Result.UNCHANGED)]
    assert asked == []


def test_a_store_elsewhere_is_led_to_and_the_index_follows(host: Host, asked: list[tuple[str, str]]) -> None:
    moved = replace(OURS, store="https://s3.example.org")
    run([OURS], host)
    (outcome,) = run([moved], host)
    assert outcome.reason == "are those of https://a.example.org and https://a.example.org"
    ((_, sql),) = asked
    assert """replace(extras, '"s3_url": "https://a.example.org/', '"s3_url": "https://s3.example.org/')""" in sql
    assert pending.is_pending(host, pending.REBUILD_INDEX)
    assert moved.check(host) is None


def test_a_copy_of_the_last_database_has_the_addresses_of_that(host: Host, asked: list[tuple[str, str]]) -> None:
    run([OURS], host)
    moved = Addresses("https://b.example.org", "https://b.example.org", THERE)
    run([moved], host)
    ((database, sql),) = asked
    assert (database, "'https://a.example.org/dataset/', 'https://b.example.org/dataset/'" in sql) == ("archive", True)


def test_back_in_a_former_database_its_old_addresses_are_exchanged(host: Host, asked: list[tuple[str, str]]) -> None:
    renamed = replace(OURS, site="https://b.example.org", store="https://b.example.org")
    for step in (OURS, replace(OURS, database=THERE), replace(renamed, database=THERE), renamed):
        run([step], host)
    assert [database for database, _ in asked] == ["archive", "ckan_default"]
    assert "'https://a.example.org/dataset/', 'https://b.example.org/dataset/'" in asked[1][1]
    assert run([renamed], host) == [Outcome(renamed.name, Result.UNCHANGED)]
