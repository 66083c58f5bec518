"""The database of another CKAN has the same name as ours, and is not used, changed or dropped."""

from __future__ import annotations

import pytest

from dcor_pkg.answers.settings import InvalidAnswer, Settings
from dcor_pkg.kernel import instance
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import paths, state_file
from dcor_pkg.machine.host import Access
from dcor_pkg.services.postgresql import local, ownership
from dcor_pkg.services.postgresql.local import PostgresqlDatabase
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.call import Call
from tests.unit.fake_programs.postgresql import Database

NAME = "ckan_default"
ENDPOINT = local.endpoint(Settings())
STEP = PostgresqlDatabase(ENDPOINT)
MARK = "dcor-server instance id"


@pytest.fixture
def new(machine: Machine) -> Machine:
    """Return a machine with an instance, whose database is not made yet."""
    machine.host.write(instance.INSTANCE, "id\n", Access(0o644))
    return machine


@pytest.fixture
def occupied(new: Machine) -> Machine:
    """Return a machine on which another CKAN was set up by its manual."""
    new.postgresql.roles[NAME] = "its password"
    new.postgresql.databases[NAME] = Database(NAME, revision="4a5e3465beb6", datasets=3)
    return new


def made(machine: Machine) -> Outcome:
    (outcome,) = run([STEP], machine.host)
    return outcome


def test_what_is_made_gets_marks(new: Machine) -> None:
    assert made(new).result is Result.CHANGED
    assert new.postgresql.comments == dict.fromkeys(
        (f"DATABASE {NAME}", f"ROLE {NAME}", f"ROLE {paths.CKAN_USER}"), MARK
    )
    assert made(new).result is Result.UNCHANGED
    local.require_usable(new.host)


def test_the_database_of_another_ckan_is_refused_with_both_ways_out(occupied: Machine) -> None:
    before = occupied.state()
    with pytest.raises(InvalidAnswer, match="ckan_default is not empty, and not this server's") as refused:
        local.require_usable(occupied.host)
    assert "touch /etc/dcor-server/take-up-database" in refused.value.hint
    assert "postgresql://USER@HOST/NAME" in refused.value.hint
    assert made(occupied).result is Result.FAILED
    assert occupied.state() == before


def test_it_is_taken_up_when_the_administrator_says_so_and_dumped_first(occupied: Machine) -> None:
    occupied.host.write(ownership.TAKE_UP, "", Access(0o644))
    local.require_usable(occupied.host)
    assert made(occupied).result is Result.CHANGED
    (dump,) = occupied.host.names(ownership.DUMPS)
    assert dump.startswith(NAME)
    assert occupied.postgresql.comments[f"DATABASE {NAME}"] == MARK
    assert occupied.postgresql.databases[NAME].datasets == 3
    assert not occupied.host.exists(ownership.TAKE_UP)
    names = [call.argv[0] for call in occupied.calls]
    assert names.index("pg_dump") < next(n for n, call in enumerate(occupied.calls) if "COMMENT" in call.text)


def test_one_with_the_mark_of_another_server_is_refused(occupied: Machine) -> None:
    occupied.postgresql.comments[f"DATABASE {NAME}"] = "dcor-server instance other"
    state_file.write(occupied.host, paths.ADDRESSES, {ENDPOINT.address: {}})
    with pytest.raises(InvalidAnswer):
        local.require_usable(occupied.host)


def test_an_empty_one_is_used(occupied: Machine) -> None:
    occupied.postgresql.databases[NAME].revision = None
    local.require_usable(occupied.host)
    assert made(occupied).result is Result.CHANGED
    assert occupied.postgresql.comments[f"DATABASE {NAME}"] == MARK


def test_a_role_of_another_ckan_does_not_own_a_new_database(new: Machine) -> None:
    new.postgresql.roles[NAME] = "its password"
    with pytest.raises(InvalidAnswer, match="the role ckan_default is not this server's"):
        local.require_usable(new.host)


def test_a_server_that_used_it_before_there_were_marks_adopts_it(occupied: Machine) -> None:
    occupied.postgresql.roles[paths.CKAN_USER] = ""
    state_file.write(occupied.host, paths.ADDRESSES, {ENDPOINT.address: {}})
    local.require_usable(occupied.host)
    assert made(occupied).result is Result.CHANGED
    assert set(occupied.postgresql.comments.values()) == {MARK}
    assert len(occupied.postgresql.comments) == 3


@pytest.mark.parametrize(("preserved", "accepted"), [("", True), ("database = postgresql://a@db.example.org/b", False)])
def test_one_that_a_purge_before_there_were_marks_has_preserved_is_adopted(
    occupied: Machine, preserved: str, accepted: bool
) -> None:
    occupied.host.remove(instance.INSTANCE)
    occupied.host.write(instance.PRESERVED_INSTANCE, "id\n", Access(0o644))
    occupied.host.write(f"{paths.PRESERVED}/dcor-server.conf", f"[dcor-server]\n{preserved}\n", Access(0o600))
    if accepted:
        local.require_usable(occupied.host)
    else:
        with pytest.raises(InvalidAnswer):
            local.require_usable(occupied.host)


@pytest.mark.parametrize("refused", ["CREATE DATABASE", "GRANT", "COMMENT ON DATABASE"])
def test_a_power_cut_in_between_makes_it_no_other_programs(
    new: Machine, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    run_psql = new.programs["psql"]

    def cut(call: Call) -> str:
        if call.text.startswith(refused):
            raise KeyboardInterrupt
        return run_psql(call)

    with monkeypatch.context() as patched:
        patched.setitem(new.programs, "psql", cut)
        with pytest.raises(KeyboardInterrupt):
            STEP.apply(new.host)
    local.require_usable(new.host)
    assert made(new).result is Result.CHANGED
    assert set(new.postgresql.comments.values()) == {MARK}


def test_a_login_role_of_another_program_gets_no_mark(new: Machine) -> None:
    new.postgresql.roles[paths.CKAN_USER] = ""
    made(new)
    assert f"ROLE {paths.CKAN_USER}" not in new.postgresql.comments
