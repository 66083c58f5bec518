"""A PostgreSQL that is set up otherwise than Debian's is refused before the first change, with file and ways out."""

from __future__ import annotations

import pytest

from dcor_pkg.answers.settings import InvalidAnswer, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access
from dcor_pkg.services.postgresql import local
from dcor_pkg.services.postgresql.local import PostgresqlDatabase
from tests.unit.fake_machine import Machine

CONFIGURATION = "/etc/postgresql/15/main"
HBA = f"{CONFIGURATION}/pg_hba.conf"
OF_POSTGRES = Access(0o644, "postgres", "postgres")
#: as PostgreSQL 15 was seen to say it
REFUSALS = (
    "fe_sendauth: no password supplied",
    'FATAL:  no pg_hba.conf entry for host "[local]", user "www-data", database "ckan_default", no encryption',
    'FATAL:  pg_hba.conf rejects connection for host "[local]", user "www-data", database "ckan_default", no encryption',
    'FATAL:  Peer authentication failed for user "www-data"',
    'FATAL:  role "www-data" is not permitted to log in',
)
DATABASE = PostgresqlDatabase(local.endpoint(Settings()))


def refused(machine: Machine) -> DcorError:
    """Return why the local PostgreSQL is refused, and see that nothing was made in it."""
    with pytest.raises(DcorError) as raised:
        local.require_usable(machine.host)
    assert (machine.postgresql.roles, machine.postgresql.databases) == ({}, {})
    assert "postgresql://USER@localhost:" in raised.value.hint
    return raised.value


def test_as_debian_sets_it_up_it_is_used_before_and_after_the_first_converge(machine: Machine) -> None:
    local.require_usable(machine.host)
    outcomes = run([DataDirectory("/data"), DATABASE], machine.host)
    assert [outcome.result for outcome in outcomes] == [Result.CHANGED] * 2
    local.require_usable(machine.host)


@pytest.mark.parametrize("words", REFUSALS)
def test_who_is_not_let_in_is_told_the_line_and_what_belongs_before_it(machine: Machine, words: str) -> None:
    machine.postgresql.refusal, machine.postgresql.rule = words, f"{HBA}, line 97, scram-sha-256"
    error = refused(machine)
    assert isinstance(error, InvalidAnswer)
    assert error.problem.startswith("PostgreSQL 15/main does not let www-data in by its socket: ")
    assert words.removeprefix("FATAL:").strip() in error.problem
    assert f"({HBA}, line 97, scram-sha-256)" in error.problem
    assert "before it: local ckan_default www-data peer; then: systemctl reload postgresql@15-main" in error.hint


@pytest.mark.parametrize("words", ["Rolle »www-data« existiert nicht", "le rôle « www-data » n'existe pas"])
def test_before_the_first_installation_the_language_of_the_messages_does_not_matter(
    machine: Machine, words: str
) -> None:
    machine.postgresql.refusal = f"FATAL:  {words}"
    local.require_usable(machine.host)


@pytest.mark.parametrize("method", ["peer map=people", "reject", "md5"])
def test_before_the_first_installation_the_method_of_the_rule_counts(machine: Machine, method: str) -> None:
    machine.postgresql.refusal, machine.postgresql.rule = "FATAL:  Rolle fehlt", f"{HBA}, line 97, {method}"
    assert f"({HBA}, line 97, {method})" in refused(machine).reason


def test_without_a_rule_the_file_is_named(machine: Machine) -> None:
    machine.postgresql.refusal, machine.postgresql.rule = REFUSALS[1], ""
    assert f"({HBA})" in refused(machine).reason


def test_a_superuser_who_is_not_let_in_is_refused_with_the_file(machine: Machine) -> None:
    machine.fail("psql", words="psql: error: connection to server failed: fe_sendauth: no password supplied", code=2)
    error = refused(machine)
    assert "failed as its superuser: fe_sendauth: no password supplied" in error.reason
    assert f"before all others of {HBA}: local all postgres peer" in error.hint


@pytest.mark.parametrize("rights", ["off off", "on on"])
def test_a_superuser_who_cannot_create_a_database_is_refused(machine: Machine, rights: str) -> None:
    machine.postgresql.rights = rights
    assert "cannot create a database" in refused(machine).reason


def test_another_directory_of_the_socket_is_named_with_the_line_that_says_it(machine: Machine) -> None:
    text = "port = 5432\n#unix_socket_directories = '/tmp'\nunix_socket_directories = '/srv/sockets'\n"
    machine.host.write(f"{CONFIGURATION}/postgresql.conf", text, OF_POSTGRES)
    machine.postgresql.socket = "/srv/sockets"
    error = refused(machine)
    assert "PostgreSQL 15/main has its socket in /srv/sockets, not in /var/run/postgresql" in error.reason
    assert f"({CONFIGURATION}/postgresql.conf, line 3)" in error.hint


def test_a_cluster_that_is_about_to_accept_connections_is_not_refused(machine: Machine) -> None:
    """/run and /var/run are the same directory."""
    machine.postgresql.socket = "/run/postgresql"
    local.require_usable(machine.host)


def test_another_port_is_named_with_the_line_that_says_it(machine: Machine) -> None:
    machine.host.write(f"{CONFIGURATION}/postgresql.conf", "# c\nport = 5433\n", OF_POSTGRES)
    machine.postgresql.port = 5433
    error = refused(machine)
    assert error.reason == (
        "No PostgreSQL cluster of this machine uses port 5432: "
        f"PostgreSQL 15/main uses port 5433 ({CONFIGURATION}/postgresql.conf, line 2)."
    )
    assert "pg_createcluster --port=5432" in error.hint


def test_no_cluster_at_all_is_said_so(machine: Machine) -> None:
    machine.programs["pg_lsclusters"] = lambda _: ""
    assert refused(machine).reason == "No PostgreSQL cluster of this machine uses port 5432: there is none at all."


def test_what_was_not_known_before_the_cluster_ran_is_no_bug_either(machine: Machine) -> None:
    machine.postgresql.refusal, machine.postgresql.rule = REFUSALS[0], f"{HBA}, line 97, scram-sha-256"
    (outcome,) = run([DATABASE], machine.host)
    assert outcome.result is Result.FAILED
    assert "does not let www-data in" in outcome.reason
    assert machine.postgresql.roles == {}
