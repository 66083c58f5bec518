"""A release with another schema gets a core of its own beside the one in use; whatever fails leaves that in use."""

from __future__ import annotations

import itertools
import time
from functools import partial
from typing import Any

import pytest

from dcor_pkg.ckan import past_releases, programs, release, search_core, search_index, switch
from dcor_pkg.ckan.migration import Migration
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services.postgresql import cluster
from dcor_pkg.services.solr import cores, new_schema
from dcor_pkg.services.solr import local as solr
from tests.unit.ckan.power import Power, changes, is_cut
from tests.unit.command_line import CommandLine
from tests.unit.fake_machine import Machine
from tests.unit.kernel.damages import LOCAL, plan
from tests.unit.shards import SHARDS, shards

SCHEMA = f'<schema name="ckan-{{}}">\n    {solr.VERSION_FIELD}\n</schema>\n'
BROKEN = f"<schema unloadable>\n    {solr.VERSION_FIELD}\n</schema>\n"
FIRST = solr.crash_safe(SCHEMA.format("2.11"))
REBUILT, CAUGHT_UP = search_index.REBUILD[1:], "catch_up"


@pytest.fixture
def server(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return a server with three datasets, whose Solr has the schema of its CKAN."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    dcor_server.converged()
    have_datasets(dcor_server.machine, 3)
    dcor_server.machine.ckan.commands.clear()
    return dcor_server


def have_datasets(machine: Machine, number: int) -> None:
    """Have so many datasets, which are all indexed."""
    machine.postgresql.databases[cluster.DATABASE].datasets = machine.ckan.documents = number


def install(machine: Machine, version: str, schema: str) -> None:
    """Have this schema in a new python-ckan."""
    machine.packages.versions["python-ckan"] = f"{version}-1~deb12u1"
    machine.host.write(solr.schema_path(machine.host), schema, Access(0o644))


def serving(machine: Machine) -> tuple[str, str | None]:
    """Return the version of the release that serves, and the core that it uses."""
    found = programs.serving(machine.host)
    assert found is not None
    return found.release.split("-")[0], cores.in_text(machine.host.read(f"{found.directory}/ckan.ini"))


def restarts(machine: Machine) -> int:
    """Return how often Solr was started anew."""
    return len([it for it in machine.ran("systemctl") if it[1] in ("restart", "start") and solr.UNIT in it])


def test_a_release_with_the_same_schema_goes_on_with_its_core(server: CommandLine) -> None:
    install(server.machine, "2.11.7", SCHEMA.format("2.11"))
    assert server("converge").code == 0
    assert serving(server.machine) == ("2.11.7", "ckan")
    assert [it[0] for it in server.machine.ckan.commands if it[0] in ("search-index", CAUGHT_UP)] == []


def test_another_schema_gets_into_the_core_beside_which_is_filled_and_proven_before_the_switch(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = server.machine
    seen = []
    before = restarts(machine)
    switch_to = switch.switch_to

    def watched(*arguments: object) -> None:
        seen.append((serving(machine), dict(machine.ckan.indexes), cores.named(machine.host)))
        switch_to(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(switch, "switch_to", watched)
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert server("converge").code == 0
    assert seen == [(("2.11.6", "ckan"), {"ckan": 3, "ckan_b": 3}, "ckan_b")]
    assert serving(machine) == ("2.11.7", "ckan_b")
    assert machine.ckan.loaded == {"ckan": FIRST, "ckan_b": solr.crash_safe(SCHEMA.format("2.12"))}
    assert [it[:1] if it[0] == CAUGHT_UP else it for it in machine.ckan.commands] == [
        REBUILT,
        (CAUGHT_UP,),
        (CAUGHT_UP,),
    ]
    assert restarts(machine) == before
    assert "0 changed" in server("converge").out


def test_what_is_written_meanwhile_is_asked_from_the_core_that_was_in_use(server: CommandLine) -> None:
    machine = server.machine
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    began = time.time()
    assert server("converge").code == 0
    asked = [it for it in machine.ckan.commands if it[0] == CAUGHT_UP]
    assert [it[1] for it in asked] == [f"{cores.ORIGIN}/ckan"] * 2
    for _, _, since in asked:
        assert abs(time.mktime(time.strptime(since, search_core.TIME)) - time.timezone - began) < 300
    state = cores.read(machine.host)
    assert state is not None
    assert all(began - 130 < at < time.time() for at in state.filled.values())
    assert sorted(state.filled) == ["ckan", "ckan_b"]


def test_a_schema_that_solr_cannot_load_leaves_all_as_it_was(server: CommandLine) -> None:
    machine = server.machine
    before = restarts(machine)
    install(machine, "2.11.7", BROKEN)
    ended = server("converge")
    words = "search core: Solr cannot load the schema of the release in the core ckan_b: SAXParseException: unloadable"
    assert (ended.code, words in ended.out) == (1, True), ended.out
    assert (serving(machine), cores.named(machine.host)) == (("2.11.6", "ckan"), "ckan")
    assert (machine.ckan.loaded["ckan"], restarts(machine)) == (FIRST, before)
    assert [server("converge").code for _ in range(2)] == [1, 0], "the release is not held back for a day"
    status = server("status")
    assert (status.code, words in status.out) == (3, True)
    install(machine, "2.11.8", SCHEMA.format("2.12"))
    assert server("converge").code == 0
    assert serving(machine) == ("2.11.8", "ckan_b")


def test_datasets_that_would_not_be_found_any_more_keep_the_release_from_serving(server: CommandLine) -> None:
    machine = server.machine
    machine.ckan.results[CAUGHT_UP] = {"failed": ["4711"], "lost": ["4711"]}
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    ended = server("converge")
    assert (ended.code, "cannot index datasets that are found now (1, such as 4711)" in ended.out) == (1, True)
    assert serving(machine) == ("2.11.6", "ckan")


def test_a_dataset_that_no_release_can_index_stops_nothing(server: CommandLine) -> None:
    """Else one user could keep a server from all upgrades."""
    machine = server.machine
    machine.ckan.results |= {CAUGHT_UP: {"failed": ["dataset-2"], "lost": []}, "index": ["dataset-2"]}
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert server("converge").code == 0
    assert serving(machine) == ("2.11.7", "ckan_b")


def test_a_core_that_lacks_datasets_is_not_used(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.machine.ckan, "_fill", lambda *_: None)
    install(server.machine, "2.11.7", SCHEMA.format("2.12"))
    ended = server("converge")
    assert (ended.code, "The core ckan_b has 0 datasets, and the database has 3." in ended.out) == (1, True)
    assert serving(server.machine) == ("2.11.6", "ckan")


def test_without_room_for_a_second_index_nothing_begins(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_schema, "RESERVE_BYTES", 200 * disk.GIB)
    install(server.machine, "2.11.7", SCHEMA.format("2.12"))
    ended = server("converge")
    assert (ended.code, "MiB are needed" in ended.out) == (1, True)
    assert server.machine.ckan.loaded["ckan_b"] == FIRST


def test_a_release_that_does_not_answer_is_tried_again_without_filling_the_core_again(server: CommandLine) -> None:
    machine = server.machine
    machine.ckan.answers["/about"] = Answer(500, "")
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert server("converge").code == 1
    assert (serving(machine), cores.named(machine.host)) == (("2.11.6", "ckan"), "ckan")
    machine.ckan.answers.clear()
    machine.ckan.commands.clear()
    assert server("converge").code == 0
    assert serving(machine) == ("2.11.7", "ckan_b")
    assert REBUILT not in machine.ckan.commands


@pytest.mark.parametrize("takes_the_schema", [True, False])
def test_before_a_migration_the_former_release_fills_the_core_if_it_can_and_the_next_one_does_so_after_it(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, takes_the_schema: bool
) -> None:
    """The next one cannot read the database before."""
    machine = server.machine
    filled, migration = [], Migration.run

    def watched(*arguments: Any) -> None:
        filled.append(machine.ckan.indexes["ckan_b"])
        machine.ckan.fault.clear()
        migration(*arguments)

    monkeypatch.setattr(Migration, "run", watched)
    if not takes_the_schema:
        machine.ckan.fault["search-index"] = "ckan.lib.search.common.SearchError: SOLR schema version not supported"
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    machine.postgresql.databases[cluster.DATABASE].revision = "0123456789ab"
    ended = server("converge")
    assert ended.code == 0, ended.out
    assert (serving(machine), machine.ckan.indexes["ckan_b"]) == (("2.11.7", "ckan_b"), 3)
    assert (filled, machine.ckan.commands.count(REBUILT)) == ([3 if takes_the_schema else 0], 2)
    assert "0 changed" in server("converge").out


def test_a_ckan_ini_of_the_administrator_is_kept_and_the_release_waits(server: CommandLine) -> None:
    machine = server.machine
    text = f"{machine.host.read(CKAN_INI)}\n# mine\n"
    machine.host.write(CKAN_INI, text, Access(0o640, "root", "www-data"))
    assert server("converge").code == 0
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    ended = server("converge")
    assert (ended.code, "was changed locally, and does not name the core ckan_b" in ended.out) == (1, True), ended.out
    assert (machine.host.read(CKAN_INI), serving(machine)) == (text, ("2.11.6", "ckan"))
    machine.host.write(CKAN_INI, cores.renamed(text, "ckan_b"), Access(0o640, "root", "www-data"))
    assert server("converge").code == 0
    assert serving(machine) == ("2.11.7", "ckan_b")


def test_the_way_back_names_the_former_core_and_indexes_there_what_has_changed_since(server: CommandLine) -> None:
    machine = server.machine
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert server("converge").code == 0
    have_datasets(machine, 4)
    machine.ckan.commands.clear()
    ended = server("release", "rollback")
    assert ended.code == 0, ended
    assert (serving(machine), cores.named(machine.host)) == (("2.11.6", "ckan"), "ckan")
    assert [it[:2] for it in machine.ckan.commands if it[0] == CAUGHT_UP] == [(CAUGHT_UP, f"{cores.ORIGIN}/ckan_b")]
    assert (machine.ckan.indexes["ckan"], REBUILT in machine.ckan.commands) == (4, False)
    assert "0 changed" in server("converge").out
    assert server("converge", "--retry-release").code == 0
    assert serving(machine) == ("2.11.7", "ckan_b")


def test_where_the_other_core_cannot_be_asked_all_is_indexed_anew(server: CommandLine) -> None:
    machine = server.machine
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert server("converge").code == 0
    machine.ckan.commands.clear()
    machine.ckan.fault[CAUGHT_UP] = "pysolr.SolrError: Solr responded with an error (HTTP 500)\n"
    assert server("release", "rollback").code == 0
    assert serving(machine) == ("2.11.6", "ckan")
    assert (REBUILT in machine.ckan.commands, pending.is_pending(machine.host, pending.REBUILD_INDEX)) == (True, False)


def test_a_release_that_cannot_catch_up_has_all_indexed(server: CommandLine) -> None:
    """One of an earlier version, whose core was used since by another one."""
    machine = server.machine
    former, _ = serving(machine)
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert server("converge").code == 0
    (home,) = (release.directory(it) for it in release.ids(machine.host) if it.startswith(former))
    machine.host.remove(f"{release.site_packages(machine.host, home)}/dcor_runtime/catch_up.py")
    machine.ckan.fault[CAUGHT_UP] = "No module named dcor_runtime.catch_up\n"
    server("release", "rollback")
    assert serving(machine) == ("2.11.6", "ckan")


def test_there_is_no_way_back_to_a_core_that_another_release_has_taken(server: CommandLine) -> None:
    machine = server.machine
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert server("converge").code == 0
    machine.ckan.answers["/about"] = Answer(500, "")
    install(machine, "2.11.8", SCHEMA.format("2.13"))
    assert server("converge").code == 1
    machine.ckan.answers.clear()
    ended = server("release", "rollback")
    assert (ended.code, "its core was filled for another release" in ended.err) == (1, True)
    assert serving(machine) == ("2.11.7", "ckan_b")


def converge(machine: Machine) -> list[Outcome]:
    """Run the plan, and return the outcomes that have failed."""
    return [it for it in run(plan(machine, LOCAL), machine.host) if it.result is Result.FAILED]


@pytest.mark.parametrize("shard", shards())
def test_after_a_power_cut_the_next_converge_goes_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, shard: int
) -> None:
    """Releases with another schema follow each other, each with a power cut before the next change."""
    monkeypatch.setattr(switch, "TIMEOUT_SECONDS", 0.0)
    assert converge(machine) == []
    have_datasets(machine, 3)
    power, schemas = Power(), {"2.11.6": FIRST}
    changes(machine, monkeypatch, power)
    for number in itertools.count(shard + 1, SHARDS):
        version = f"2.12.{number}"
        install(machine, version, SCHEMA.format(version))
        schemas[version] = solr.crash_safe(SCHEMA.format(version))
        steps = plan(machine, LOCAL)
        first, last = ([it.name for it in steps].index(name) for name in ("search core", "search core complete"))
        run(steps[:first], machine.host)
        power.fail_at(number)
        was_cut = is_cut(machine, power, partial(run, steps[first : last + 1], machine.host))
        machine.ckan.load_cores()
        before, core = serving(machine)
        assert machine.ckan.loaded[core or ""] == schemas[before], number
        assert machine.ckan.indexes[core or ""] == 3, number
        assert converge(machine) == [], number
        _, core = serving(machine)
        assert machine.ckan.loaded[core or ""] == schemas[version], number
        assert (machine.ckan.indexes[core or ""], core) == (3, cores.named(machine.host)), number
        assert not pending.is_pending(machine.host, pending.CATCH_UP_INDEX), number
        assert past_releases.read(machine.host)[0].release.startswith(version), number
        if not was_cut:
            break
    assert number > 20


def test_status_compares_the_core_in_use_with_its_schema_and_not_with_the_next_one(server: CommandLine) -> None:
    machine = server.machine
    install(machine, "2.11.7", SCHEMA.format("2.12"))
    assert _part(server) == ("schema ckan-2.11, datasets: 3", "")
    assert server("converge").code == 0
    assert _part(server) == ("schema ckan-2.12, datasets: 3", "")
    machine.ckan.loaded["ckan_b"] = FIRST
    assert _part(server)[1] == "its schema is ckan-2.11, and the release that uses its core ckan_b needs ckan-2.12"


def _part(server: CommandLine) -> tuple[str, str]:
    """Return what the status says of Solr, and its warning."""
    (part,) = (it for it in server("status", "--json").json["parts"] if it["name"] == "solr")
    return part["detail"], part["warning"] or ""
