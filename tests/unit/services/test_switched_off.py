"""Local engines whose service is external: stopped, not deleted, and started again when they are needed."""

from __future__ import annotations

from typing import Any

import pytest

from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.kernel.systemd_service import ServiceStopped
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.endpoint import from_address
from dcor_pkg.services.postgresql import cluster as postgresql_cluster
from dcor_pkg.services.postgresql.cluster import STOPPED, ClusterRunning, ClusterStopped

EXTERNAL = from_address("database", "postgresql://dcor@db.example.org/ckan_default", "database-password")
START = "/etc/postgresql/15/main/start.conf"


class Machine:
    """Stands for systemctl, pg_lsclusters, tee and psql on a machine with two clusters and a unit."""

    def __init__(self, host: Host) -> None:
        self.host = host
        #: units that run, and that start at boot
        self.active = {"postgresql@15-main.service", "dcor-solr.service"}
        self.enabled = {"dcor-solr.service", "postgresql.service"}
        #: databases that are not ours
        self.others = 0
        #: the clusters that answer at the socket, and at the external address; None does not let us in
        self.identities: dict[bool, str | None] = {True: "7", False: "8"}

    def run(self, program: str, *argv: str, text: str = "", user: str | None = None, **_: Any) -> str:
        if program == "tee":
            assert user == "postgres"
            self.host.write(argv[0], text, Access(0o644, "postgres", "postgres"))
        if program == "systemctl":
            return self.systemctl(*argv)
        if program == "pg_isready" and "postgresql@15-main.service" not in self.active:
            raise CommandFailed((program, *argv), 2, "")
        if text == postgresql_cluster.IDENTITY:
            return self.identity((program, *argv), is_local=user == "postgres")
        return self.clusters() if program == "pg_lsclusters" else str(self.others)

    def identity(self, argv: tuple[str, ...], *, is_local: bool) -> str:
        found = self.identities[is_local]
        if found is None:
            raise CommandFailed(argv, 2, "fe_sendauth: no password supplied")
        return found

    def clusters(self) -> str:
        """Answer as pg_lsclusters of postgresql-common 248 does."""
        status = "online" if "postgresql@15-main.service" in self.active else "down"
        return (
            "15 archive 5433 online postgres /var/lib/postgresql/15/archive /var/log/postgresql/x.log\n"
            f"15 main    5432 {status} postgres /var/lib/postgresql/15/main /var/log/postgresql/y.log\n"
        )

    def systemctl(self, verb: str, *argv: str) -> str:
        unit = argv[-1] if argv else ""
        if verb == "show":
            state = "active" if unit in self.active else "inactive"
            file = "enabled" if unit in self.enabled else "disabled"
            return f"ActiveState={state}\nUnitFileState={file}\nNeedDaemonReload=no\nJob=\n"
        if verb in ("stop", "disable"):
            self.active.discard(unit)
        if verb == "disable":
            self.enabled.discard(unit)
        if verb == "start":
            self.active.add(unit)
        return ""


@pytest.fixture
def machine(host: Host, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return what answers for the programs of a machine."""
    machine = Machine(host)
    host.write(START, "auto\n", Access(0o644, "postgres", "postgres"))
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: machine.run(*argv, **options))
    return machine


def test_a_service_is_stopped_and_does_not_come_back_at_boot(host: Host, machine: Machine) -> None:
    step = ServiceStopped("dcor-solr.service")
    (outcome,) = run([step], host)
    assert outcome.reason == "is active, and not needed, since the service is external"
    assert (machine.active & {step.unit}, machine.enabled) == (set(), {"postgresql.service"})
    assert run([step], host) == [Outcome(step.name, Result.UNCHANGED)]
    machine.enabled.add(step.unit)
    assert step.check(host) == "is enabled, so it would start at boot"


def test_our_cluster_is_stopped_and_started_again(host: Host, machine: Machine) -> None:
    (outcome,) = run([ClusterStopped(EXTERNAL)], host)
    assert outcome.reason == "runs, and holds only the database that was replaced by an external one"
    assert (machine.active, host.read(START)) == ({"dcor-solr.service"}, f"{STOPPED}manual\n")
    assert postgresql_cluster.is_stopped_by_us(host, postgresql_cluster.required(host))
    assert run([ClusterStopped(EXTERNAL)], host) == [Outcome("postgresql cluster", Result.UNCHANGED)]
    (outcome,) = run([ClusterRunning()], host)
    assert outcome.result is Result.CHANGED
    assert ("postgresql@15-main.service" in machine.active, host.read(START)) == (True, "auto\n")
    assert not postgresql_cluster.is_stopped_by_us(host, postgresql_cluster.required(host))


def test_a_cluster_with_other_databases_goes_on_running(host: Host, machine: Machine) -> None:
    machine.others = 1
    assert run([ClusterStopped(EXTERNAL)], host) == [Outcome("postgresql cluster", Result.UNCHANGED)]
    assert "postgresql@15-main.service" in machine.active


@pytest.mark.parametrize(
    ("at_socket", "at_address"),
    [("7", "7"), (None, "8"), ("7", None)],
    ids=["is the external one", "lets no superuser in", "external one does not tell"],
)
def test_a_cluster_that_may_be_where_the_external_database_is_goes_on_running(
    host: Host, machine: Machine, at_socket: str | None, at_address: str | None
) -> None:
    machine.identities = {True: at_socket, False: at_address}
    assert run([ClusterStopped(EXTERNAL)], host) == [Outcome("postgresql cluster", Result.UNCHANGED)]
    assert "postgresql@15-main.service" in machine.active


def test_a_cluster_that_is_down_is_left_alone_while_the_database_is_external(host: Host, machine: Machine) -> None:
    machine.active.clear()
    assert run([ClusterStopped(EXTERNAL)], host) == [Outcome("postgresql cluster", Result.UNCHANGED)]
    assert host.read(START) == "auto\n"
