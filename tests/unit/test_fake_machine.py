"""The fake machine stands for a real one: the whole plan runs on it, and what it does not know it refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import facts
from dcor_pkg.machine.host import Host
from dcor_pkg.plan import build_plan
from tests.unit.fake_machine import Machine

ANSWERS = {"hostname": "dcor.example.org", "email": "admin@example.org"}
EXTERNAL = {"object-store": "https://AKID@s3.example.org", "redis": "rediss://redis.example.org"}
UNITS = {"object-store": "dcor-object-store.service", "redis": "redis-server@dcor.service"}
PASSWORDS = ("object-store-secret", "redis-password")


def problems(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.result is Result.FAILED]


@pytest.mark.parametrize("external", [{}, EXTERNAL], ids=["local", "external"])
def test_the_whole_plan_converges_and_a_second_run_changes_nothing(machine: Machine, external: dict[str, str]) -> None:
    for name in PASSWORDS:
        secrets.save(machine.host, secrets.external(name), Secret("x"))
    plan = build_plan(settings.parse({**ANSWERS, **external}), facts.read(machine.host))
    assert problems(run(plan, machine.host)) == []
    assert [outcome for outcome in run(plan, machine.host) if outcome.result is not Result.UNCHANGED] == []


def test_services_become_external_and_local_again(machine: Machine) -> None:
    for name in PASSWORDS:
        secrets.save(machine.host, secrets.external(name), Secret("x"))
    for external, state in (({}, "active"), (EXTERNAL, "inactive"), ({}, "active")):
        plan = build_plan(settings.parse({**ANSWERS, **external}), facts.read(machine.host))
        assert problems(run(plan, machine.host)) == []
        units = [machine.systemd.units[UNITS[key]].active for key in EXTERNAL]
        assert units == [state] * len(EXTERNAL)


@pytest.fixture
def strict(machine: Machine) -> Iterator[Host]:
    """Return a host whose unknown calls are expected."""
    yield machine.host
    assert machine.unknown
    machine.unknown.clear()


@pytest.mark.parametrize(
    "argv",
    [
        ("no-such-program", "--help"),
        ("systemctl", "mask", "nginx.service"),
        ("systemctl", "show", "--property=ExecMainPID", "nginx.service"),
        ("dpkg-query", "--show", "--showformat=${Maintainer}", "nginx"),
        ("/var/lib/dcor-server/releases/1/bin/uwsgi", "--version"),
    ],
)
def test_a_call_that_it_does_not_know_is_refused_by_its_whole_line(strict: Host, argv: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError, match=argv[-1].replace("$", r"\$")):
        strict.run(*argv)


def test_unknown_sql_is_refused(strict: Host) -> None:
    with pytest.raises(AssertionError, match="DROP TABLE"):
        strict.run(
            "psql",
            "--dbname=host=/var/run/postgresql port=5432 dbname=postgres",
            user="postgres",
            text="DROP TABLE package",
        )


def test_a_call_can_be_made_to_fail(machine: Machine) -> None:
    machine.fail("systemctl", "reload", words="Job failed.", code=3)
    with pytest.raises(CommandFailed) as failed:
        machine.host.run("systemctl", "reload", "nginx.service")
    assert (failed.value.code, failed.value.hint) == (3, "Job failed.")
    assert machine.ran("systemctl", "reload") == [("systemctl", "reload", "nginx.service")]
    assert machine.nginx.reloads == 0
