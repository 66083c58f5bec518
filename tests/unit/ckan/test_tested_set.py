"""A release is made only of packages that were tested together, also after an upgrade that was cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcor_pkg.ckan import tested_set
from dcor_pkg.ckan.release_build import SOURCE_PACKAGES
from dcor_pkg.machine.facts import REQUIREMENTS
from dcor_pkg.machine.host import Access
from tests.unit.command_line import CommandLine
from tests.unit.fake_machine import Machine

CONTROL = Path(__file__).resolve().parents[3] / "debian/control"
#: as dpkg has it, with the next version of both
NEXT = (
    "ca-certificates, dcor-wheels (>= 2.11.6-2~), dcor-wheels (<< 2.11.6-3~), nginx, python-ckan (>= 2.11.6-2~), "
    "python-ckan (<< 2.11.6-3~)"
)


def test_the_relations_of_the_package_are_found() -> None:
    found = {(package, relation) for package, relation, _ in tested_set.RELATION.findall(CONTROL.read_text())}
    assert found >= {(package, relation) for package in SOURCE_PACKAGES for relation in (">=", "<<")}


@pytest.mark.parametrize(
    ("ckan", "wheels", "wrong"),
    [
        ("2.11.6-2~deb12u1", "2.11.6-2~deb12u1", None),
        ("2.11.6-2~deb12u1", "2.11.6-1~deb12u1", "dcor-wheels has the version 2.11.6-1~deb12u1"),
        ("2.11.6-1~deb12u1", "2.11.6-2~deb12u1", "python-ckan has the version 2.11.6-1~deb12u1"),
        ("2.11.6-3~deb12u1", "2.11.6-2~deb12u1", "python-ckan has the version 2.11.6-3~deb12u1"),
    ],
)
def test_a_release_of_packages_that_were_not_tested_together_does_not_serve(
    dcor_server: CommandLine, ckan: str, wheels: str, wrong: str | None
) -> None:
    server = dcor_server.converged()
    before = active(server.machine)
    server.machine.packages.versions |= {"python-ckan": ckan, "dcor-wheels": wheels}
    server.machine.packages.depends = NEXT
    host = server.machine.host
    host.write(REQUIREMENTS, f"{host.read(REQUIREMENTS)}# the next one\n", Access(0o644))
    ended = server("converge")
    assert (ended.code, active(server.machine) == before) == ((0, False) if wrong is None else (1, True))
    if wrong is not None:
        assert f"{wrong}, and dcor-server was tested with" in ended.out
        assert "dpkg --configure -a, then apt --fix-broken install" in server("status").out


def active(machine: Machine) -> str | None:
    return machine.host.target("/var/lib/dcor-server/current")
