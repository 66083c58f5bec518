"""An upgrade of a part that CKAN needs is no worse for users than a restart of that part.

Both are measured by the same requests. The table is printed; only counts of one run are compared. Debian's packages of
PostgreSQL and Redis stop the part before they are unpacked, and start it afterwards: so long nobody can be served, and
that time is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from availability import Availability, Kind, kinds_of_users, measure_kinds, table, written
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import CURL, SEARCH, SITE, assert_healthy, wait_until_idle

pytestmark = [pytest.mark.upgrades, pytest.mark.long]

#: So many more requests of a kind may fail, or wait: ten are sent a second.
MARGIN = 10
#: Ends when five searches in a row are answered.
SETTLED = (
    "good=0; until [ $good = 5 ]; do sleep 0.4; "
    f"if {CURL} --fail --output /dev/null --cookie dcor=x '{SITE}{SEARCH}' 2>/dev/null; then good=$((good + 1)); else good=0; fi; done"
)
#: Prints for how many microseconds a unit was down when it was started last.
DOWN = (
    "systemctl show --value --property=ActiveExitTimestampMonotonic --property=ActiveEnterTimestampMonotonic '{}' | "
    "sort --numeric-sort | paste --serial --delimiters=' ' | ( read -r stopped started; echo $((started - stopped)) )"
)
REINSTALL = "DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --reinstall"


@dataclass(frozen=True)
class Part:
    """A part of the server: its unit, and its package."""

    unit: str
    package: str

    @property
    def restart(self) -> str:
        return f"systemctl restart '{self.unit}'; {SETTLED}"

    @property
    def upgrade(self) -> str:
        return f"{REINSTALL} {self.package} >/dev/null; {SETTLED}"


PARTS = {
    "Solr": Part("dcor-solr.service", "/srv/dist/dcor-solr_*.deb"),
    "object store": Part("dcor-object-store.service", "/srv/dist/dcor-object-store_*.deb"),
    "Redis": Part("redis-server@dcor.service", "redis-server"),
    "PostgreSQL": Part("postgresql@*-main.service", "postgresql-$(ls /etc/postgresql)"),
    # Of the instance that runs CKAN; Debian's own one is another unit, which the package restarts.
    "supervisor": Part("dcor-ckan.service", "supervisor"),
    "nginx": Part("nginx.service", "nginx"),
}


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server in which nothing but the tests changes anything."""
    with Machine("restarts", installed, read_only=package_mounts) as machine:
        wait_until_idle(machine)
        yield machine


@pytest.fixture(scope="module")
def kinds(machine: Machine) -> dict[str, Kind]:
    """Return the requests of all kinds of users."""
    return kinds_of_users(machine)


def down_seconds(machine: Machine, part: Part) -> float:
    """Return for how many seconds a part was down when it was started last."""
    return int(machine.shell(DOWN.format(part.unit))) / 1e6


def waited(found: Availability) -> float:
    """Return how many requests did not succeed, or were not sent because the one before them waited."""
    return max(float(len(found.failed)), 10 * found.longest_gap_seconds)


def worse(
    package: Mapping[str, Availability], bare: list[dict[str, Availability]], down_seconds: float
) -> dict[str, str]:
    """Return the kinds for which an upgrade was worse than the worst restart, which was down for less time."""
    most = {kind: max(waited(one[kind]) for one in bare) + 10 * down_seconds + MARGIN for kind in package}
    return {kind: str(found) for kind, found in package.items() if waited(found) > most[kind]}


@pytest.mark.parametrize("name", PARTS)
def test_an_upgrade_of_a_part_is_no_worse_than_its_restart(machine: Machine, kinds: dict[str, Kind], name: str) -> None:
    part, before = PARTS[name], written(machine)
    # Before and after, so that other work of this computer counts for both.
    first = measure_kinds(machine, part.restart, kinds)
    down = down_seconds(machine, part)
    package = measure_kinds(machine, part.upgrade, kinds, timeout=600)
    unpacked = max(0.0, down_seconds(machine, part) - down)
    second = measure_kinds(machine, part.restart, kinds)
    shown = {"restart": first, "upgrade": package, "restart again": second}
    print("".join(f"\n{name}, {way}:\n{table(measured)}" for way, measured in shown.items()))
    print(f"down for {unpacked:.1f} s longer than by a restart")
    assert worse(package, [first, second], unpacked) == {}
    if name != "nginx":
        assert [found["cached page"].failed for found in shown.values()] == [()] * 3
    assert written(machine) - before >= sum(found["write"].succeeded for found in shown.values())
    assert_healthy(machine)
