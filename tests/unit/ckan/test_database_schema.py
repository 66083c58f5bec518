"""The tables of CKAN and of enabled plugins are migrated when they are not at the release's revisions."""

from __future__ import annotations

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.ckan import database_schema, release
from dcor_pkg.ckan.database_schema import DatabaseSchema
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import upstream
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import psql

STEP = DatabaseSchema("2.11.6-abc", endpoints.of(settings.Settings()).database)


@pytest.fixture
def revisions(host: Host, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the revision of the tables, in a list that is empty while there are none; a migration sets it."""
    revisions: list[str] = []

    def query(*_: object) -> str:
        if not revisions:
            raise CommandFailed(("psql",), 1, 'ERROR:  relation "alembic_version" does not exist')
        return revisions[-1]

    monkeypatch.setattr(psql, "query", query)
    monkeypatch.setattr(release, "run", lambda *_: revisions.append("4a5e3465beb6"))
    return revisions


@pytest.mark.parametrize("text", ["[app:main]\nsqlalchemy.url = {}\n", "[app:main]\nsqlalchemy.url\t:{} \n"])
def test_tables_are_not_touched_where_ckan_ini_names_another_database(
    host: Host, revisions: list[str], text: str
) -> None:
    host.write(f"{release.directory('2.11.6-abc')}/{release.SCHEMA}", "4a5e3465beb6\n", Access(0o644))
    host.write(paths.CKAN_INI, text.format("postgresql://ckan_default:hush@production/ckan_default"), Access(0o640))
    (outcome,) = run([STEP], host)
    assert (outcome.result, revisions) == (Result.FAILED, [])
    assert "names another database than the settings" in outcome.reason
    assert "hush" not in outcome.reason + outcome.hint
    assert "dcor-server set database=" in outcome.hint
    own = "postgresql://www-data@/ckan_default?host=/var/run/postgresql&port=5432"
    host.write(paths.CKAN_INI, text.format(own), Access(0o640))
    assert run([STEP], host)[0].result is Result.CHANGED


def with_plugins(host: Host, plugins: str, newest: str = "activity fab3\ntracking 6313\n") -> None:
    """Write ckan.ini, and what a release has."""
    host.write(paths.CKAN_INI, f"[app:main]\nckan.plugins = {plugins}\n", Access(0o640))
    host.write(f"{release.directory('2.11.6-abc')}/{release.SCHEMA}", f"4a5e3465beb6\n{newest}", Access(0o644))


def test_the_tables_of_an_enabled_plugin_are_compared_too(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    tables: dict[str, str] = {}
    asked: list[str] = []

    def query(_: object, __: object, sql: str) -> str:
        asked.append(sql)
        plugins = "\n".join(f"{table}|{revision}" for table, revision in tables.items() if f"'{table}'" in sql)
        return "4a5e3465beb6" if sql == "SELECT version_num FROM alembic_version" else plugins

    monkeypatch.setattr(psql, "query", query)
    with_plugins(host, "dcor_depot tracking")
    assert STEP.check(host) == "is at revision none of the plugin tracking, not 6313"
    assert "activity" not in asked[-1]
    tables["tracking_alembic_version"] = "5000"
    assert STEP.check(host) == "is at revision 5000 of the plugin tracking, not 6313"
    tables["tracking_alembic_version"] = "6313"
    assert STEP.check(host) is None
    tables["activity_alembic_version"] = "7171"
    with_plugins(host, "dcor_depot\n    %(also)s\nalso = activity tracking")
    assert STEP.check(host) == "is at revision 7171 of the plugin activity, not fab3"


@pytest.mark.parametrize(
    ("plugins", "newest"),
    [("dcor_depot", "tracking 6313\n"), ("tracking", ""), ("tracking\nno option", "tracking 6313\n")],
)
def test_what_is_not_enabled_or_not_known_to_the_release_is_not_asked_for(
    host: Host, revisions: list[str], plugins: str, newest: str
) -> None:
    """A release of a former version has only the revision of CKAN's own tables; a damaged ckan.ini enables nothing."""
    revisions.append("4a5e3465beb6")
    with_plugins(host, plugins, newest)
    assert STEP.check(host) is None


@pytest.mark.parametrize(
    ("answers", "drift"),
    [({}, None), ({"database": "postgresql://ckan@db.example.org/ckan"}, "is at revision old, not 4a5e3465beb6")],
    ids=["local", "external"],
)
def test_where_a_server_serves_only_an_external_database_is_migrated_in_place(
    host: Host, revisions: list[str], answers: dict[str, str], drift: str | None
) -> None:
    step = DatabaseSchema("2.11.6-abc", endpoints.of(settings.parse(answers)).database)
    revisions.append("old")
    host.write(f"{release.directory('2.11.6-abc')}/{release.SCHEMA}", "4a5e3465beb6\n", Access(0o644))
    host.write(secrets.path("external-database-password"), "secret\n", secrets.ACCESS)
    assert step.check(host) == "is at revision old, not 4a5e3465beb6"
    host.write(upstream.PATH, Programs("2.11.5-abc", "aaaaaaaa").upstream, Access(0o644))
    assert step.check(host) == (None if drift is None else f"{drift}{database_schema.IN_PLACE}")


def test_without_a_release_the_revision_is_unknown(host: Host, revisions: list[str]) -> None:
    assert STEP.check(host) == "its revision is unknown, because the release 2.11.6-abc does not exist yet"


def test_tables_are_made_and_migrated_to_the_revision_of_the_release(host: Host, revisions: list[str]) -> None:
    host.write(f"{release.directory('2.11.6-abc')}/{release.SCHEMA}", "4a5e3465beb6\n", Access(0o644))
    assert 'relation "alembic_version" does not exist' in (STEP.check(host) or "")
    run([STEP], host)
    assert run([STEP], host) == [Outcome(STEP.name, Result.UNCHANGED)]
    revisions.append("0f3c1d9a7b21")
    assert STEP.check(host) == "is at revision 0f3c1d9a7b21, not 4a5e3465beb6"
    run([STEP], host)
    assert STEP.check(host) is None
