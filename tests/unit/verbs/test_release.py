"""`dcor-server release`: the way back to a former release, with its database where the next one has migrated that."""

from __future__ import annotations

import pytest

from dcor_pkg import cli
from dcor_pkg.ckan import held_release, migration_state, programs, release, switch, upgrade_backup
from dcor_pkg.ckan.migration_state import Act
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.postgresql import cluster
from tests.unit.command_line import CommandLine
from tests.unit.fake_programs.ckan import REVISION

OLD = "0123456789ab"


@pytest.fixture
def server(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a server on which the release of 2.11.7 has replaced that of 2.11.6."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    server = dcor_server.converged()
    upgrade(server, "2.11.7")
    return server


@pytest.fixture
def migrated(server: CommandLine) -> CommandLine:
    """Return a server on which the release of 2.11.8 has migrated the database of 2.11.7, and somebody has written."""
    home = release.directory(serving(server))
    schema = server.machine.host.read(f"{home}/{release.SCHEMA}") or ""
    server.machine.host.path(f"{home}/{release.SCHEMA}").write_text(schema.replace(REVISION, OLD))
    server.machine.postgresql.databases[cluster.DATABASE].revision = OLD
    upgrade(server, "2.11.8")
    server.machine.postgresql.databases[cluster.DATABASE].datasets = 7
    server.machine.ckan.documents = 7
    return server


def upgrade(server: CommandLine, version: str) -> None:
    server.machine.packages.versions["python-ckan"] = f"{version}-1~deb12u1"
    ended = server("converge")
    assert ended.code == 0, ended
    assert serving(server).startswith(f"{version}-")


def serving(server: CommandLine) -> str:
    found = programs.serving(server.machine.host)
    assert found is not None
    return found.release


def test_the_releases_that_have_served_are_listed(server: CommandLine) -> None:
    new, former = server("release", "list").lines
    assert new.startswith(f"* {serving(server)}  since 20")
    assert former.startswith("  2.11.6-")
    assert [it["active"] for it in server("release", "list", "--json").json] == [True, False]


def test_the_two_releases_before_the_active_one_are_kept_with_their_configurations(server: CommandLine) -> None:
    host, first = server.machine.host, server("release", "list", "--json").json[-1]["release"]
    for version in ("2.11.8", "2.11.9"):
        upgrade(server, version)
        listed = server("release", "list", "--json").json
        assert [it["release"].split("-")[0] for it in listed] == [f"2.11.{int(version[-1]) - i}" for i in range(3)]
        assert release.ids(host) == sorted(it["release"] for it in listed)
        kept = sorted(f"{it['release']}.{it['configuration']}" for it in listed)
        assert host.names(programs.CONFIGURATIONS) == kept
        oldest = listed[-1]["release"]
    assert not host.exists(release.directory(first))
    assert server("release", "rollback", oldest).code == 0
    assert serving(server) == oldest
    assert "0 changed" in server("converge").lines[-1]


def test_a_rollback_holds_until_another_release_comes_or_an_administrator_says_so(server: CommandLine) -> None:
    bad = serving(server)
    ended = server("release", "rollback")
    assert (ended.code, serving(server)[:7]) == (0, "2.11.6-")
    assert "0 changed" in server("converge").lines[-1]
    held = held_release.read(server.machine.host)
    assert held is not None
    assert (held.release, held.instead) == (bad, serving(server))
    assert f"the release {held.instead} serves in the place of {bad} since" in server("status").out
    assert server("converge", "--retry-release").code == 0
    assert (serving(server), held_release.read(server.machine.host)) == (bad, None)
    server("release", "rollback")
    upgrade(server, "2.11.8")
    assert held_release.read(server.machine.host) is None


def test_after_a_downgrade_to_the_release_that_serves_nothing_is_held_back(server: CommandLine) -> None:
    server("release", "rollback")
    server.machine.packages.versions["python-ckan"] = "2.11.6-1~deb12u1"
    assert "0 changed" in server("converge").lines[-1]
    assert held_release.read(server.machine.host) is None
    assert "in the place of" not in server("status").out


def test_no_rollback_begins_before_an_interrupted_migration_has_ended(server: CommandLine) -> None:
    """It would write over the record of what has to be undone."""
    host, serving = server.machine.host, programs.serving(server.machine.host)
    assert serving is not None
    act = Act(serving, serving, "ckan_default_before_20260101t000000_x", "ckan_default_copy")
    act.record(host)
    ended = server("release", "rollback")
    assert (ended.code, migration_state.under_way(host)) == (1, act)
    assert "To end it first: dcor-server converge" in ended.err


def test_the_reverse_of_a_rollback_ends_it(server: CommandLine) -> None:
    bad = serving(server)
    server("release", "rollback")
    assert server("release", "rollback", bad).code == 0
    assert (serving(server), held_release.read(server.machine.host)) == (bad, None)


@pytest.mark.parametrize(("identity", "words"), [("2.0-x", "There is no former release 2.0-x."), (None, "serves")])
def test_what_is_not_there_cannot_be_gone_back_to(server: CommandLine, identity: str | None, words: str) -> None:
    before = serving(server)
    ended = server("release", "rollback", identity or before)
    assert (ended.code, serving(server)) == (1, before)
    assert (words if identity else "There is no former release") in ended.err


def test_a_rollback_over_a_migration_says_what_will_be_lost(migrated: CommandLine) -> None:
    before = serving(migrated)
    ended = migrated("release", "rollback")
    assert (ended.code, serving(migrated)) == (1, before)
    assert "cannot use the present database, which was migrated" in ended.err
    assert "With --with-database it gets its own again (ckan_default_before_" in ended.err
    assert "is then missing on the site; it is dumped into /var/backups/dcor-server/upgrades first" in ended.err


def test_a_rollback_with_the_database_brings_it_back_and_dumps_what_was_written(migrated: CommandLine) -> None:
    bad, machine = serving(migrated), migrated.machine
    ended = migrated("release", "rollback", "--with-database")
    assert (ended.code, serving(migrated)[:7]) == (0, "2.11.7-"), ended
    database = machine.postgresql.databases[cluster.DATABASE]
    assert (database.revision, database.datasets, database.connectable, database.read_only) == (OLD, 0, True, False)
    (dumped,) = (name for name in upgrade_backup.ids(machine.host) if name.endswith(f"-{bad}-left"))
    assert f"What was written since the migration is in {upgrade_backup.DIRECTORY}/{dumped}." in ended.lines
    assert machine.host.read(f"{upgrade_backup.DIRECTORY}/{dumped}/database.dump") == f"PGDMP {REVISION}"
    assert not machine.host.exists(nginx.MAINTENANCE)
    assert migration_state.under_way(machine.host) is None
    assert "0 changed" in migrated("converge").lines[-1]
    assert migrated("release", "rollback", bad, "--with-database").code == 0
    assert (serving(migrated), machine.postgresql.databases[cluster.DATABASE].datasets) == (bad, 7)


@pytest.mark.parametrize(
    "given",
    [
        ("--with-database", "rollback", "--json", "ID"),
        ("--json", "rollback", "--with-database", "ID"),
        ("rollback", "ID", "--json", "--with-database"),
    ],
)
def test_the_database_may_be_asked_for_before_and_after_the_action(given: tuple[str, ...]) -> None:
    found = cli.parser().parse_args(["release", *given])
    assert (found.id, found.json, found.with_database) == ("ID", True, True)
    assert cli.parser().parse_args(["release", "rollback"]).with_database is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "required: ACTION"),
        (("back",), "invalid choice: 'back'"),
        (("list", "2.11"), "unrecognized arguments: 2.11"),
        (("list", "--with-database"), "unrecognized arguments: --with-database"),
        (("--with-database", "list"), "--with-database belongs to rollback"),
        (("rollback", "a", "b"), "unrecognized arguments: b"),
    ],
)
def test_wrong_usage_changes_nothing(server: CommandLine, arguments: tuple[str, ...], words: str) -> None:
    before = serving(server)
    ended = server("release", *arguments)
    assert (ended.code, ended.out, serving(server)) == (2, "", before)
    assert words in ended.err.splitlines()[-1]


def test_a_former_release_that_does_not_answer_leaves_everything_as_it_is(migrated: CommandLine) -> None:
    before, machine = serving(migrated), migrated.machine
    machine.ckan.answers["/about"] = Answer(500, "")
    ended = migrated("release", "rollback", "--with-database")
    assert ended.code == 1
    assert "answers /about with status 500" in ended.err
    database = machine.postgresql.databases[cluster.DATABASE]
    assert (serving(migrated), database.revision, database.datasets, database.read_only) == (before, REVISION, 7, False)
    assert [name for name in machine.postgresql.databases if "_before_" in name] != []
    assert not machine.host.exists(nginx.MAINTENANCE)
    assert held_release.read(machine.host) is None


def test_a_damaged_former_release_is_not_made_of_what_there_is_now(server: CommandLine) -> None:
    server("release", "rollback")
    home = release.directory(serving(server))
    server.machine.host.path(f"{home}/bin/dcor").write_text("damaged")
    ended = server("converge")
    assert ended.code == 1
    assert "to which this server went back, is damaged, and cannot be made again" in ended.out
    assert "--retry-release" in ended.out
