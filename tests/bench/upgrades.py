#!/usr/bin/python3
"""Measure an upgrade: its phases, 503 against the size of the database, disk, memory. Run nothing else meanwhile."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "scripts"), str(TREE / "tests/system"), str(TREE / "tests/system/clients")]

import watch
from availability import PAGES, Availability, measure_kinds
from dcor_dev import layers, roots
from dcor_dev.machine import Machine
from migrations import PACKAGE, head, next_release, sql
from phases import MAINTENANCE, PHASES
from website import wait_until_idle

PROGRAM = TREE / "tests/system/clients/phases.py"
LOG = "/var/log/dcor-server/converge.log"
#: what is recorded of the steps that take longest
STEP = re.compile(r" \* (release|backup before the upgrade|active release): .* \((\d+) s\)$", re.MULTILINE)
RECORD = (
    "rm -f /run/phases.stop; : >{log}; systemd-run --quiet --unit=phases "
    "--property=StandardOutput=truncate:/run/phases.json python3 /root/phases.py /run/phases.stop"
)
RECORDED = "touch /run/phases.stop; while systemctl is-active --quiet phases; do sleep 0.1; done; cat /run/phases.json"
#: a table of CKAN's database, each row of which has about a kibibyte
FILL = """
CREATE TABLE filler AS SELECT number, repeat(md5(number::text), 31) AS content FROM generate_series(1, {rows}) AS number;
ALTER TABLE filler OWNER TO ckan_default;
CHECKPOINT;
"""
SIZE = "SELECT pg_database_size('ckan_default')"
ROWS_OF_A_GIBIBYTE = 1_000_000
#: a migration that takes no time of its own
MIGRATION = 'op.execute("CREATE TABLE {name} (kept text)")'
CONVERGE = "dcor-server converge"
#: of 503: seconds, and seconds for each GiB of the database
GOAL, GOAL_OF_A_GIBIBYTE = 10.0, 5.0


@dataclass(frozen=True)
class Upgrade:
    """The figures of one upgrade."""

    gibibytes: float
    #: of the steps, in seconds
    steps: dict[str, float]
    #: of the phases of a migration, in seconds
    phases: dict[str, float]
    #: in MiB
    before: dict[str, int]
    most: dict[str, int]
    pages: Availability

    def rows(self) -> dict[str, float]:
        """Return the figures by their names."""
        phases = {f"  {name}, s": self.phases.get(name, 0.0) for name in PHASES}
        peaks = {f"most {name} in addition, MiB": float(self.most[name] - self.before[name]) for name in self.most}
        return {
            "database, MiB": self.gibibytes * 1024,
            **{f"step {name}, s": self.steps.get(name, 0.0) for name in ("release", "backup before the upgrade")},
            "step active release, s": self.steps.get("active release", 0.0),
            **phases,
            "503, s": self.phases.get(MAINTENANCE, 0.0),
            "503, share of the goal": self.phases.get(MAINTENANCE, 0.0) / self.goal,
            "longest time without an answer, s": self.pages.longest_gap_seconds,
            "requests that failed, of each 100": 100 * len(self.pages.failed) / self.pages.requests,
            **peaks,
        }

    @property
    def goal(self) -> float:
        return GOAL + GOAL_OF_A_GIBIBYTE * self.gibibytes


def measure(machine: Machine) -> Upgrade:
    """Converge to the next release, and return the figures."""
    gibibytes = int(sql(machine, SIZE)) / 1024**3
    machine.copy_in(PROGRAM, "/root/phases.py")
    machine.shell(RECORD.format(log=LOG))
    pages = measure_kinds(machine, CONVERGE, {"pages": PAGES}, timeout=1800)["pages"]
    found = json.loads(machine.shell(RECORDED))
    steps = {name: float(seconds) for name, seconds in STEP.findall(machine.path(LOG).read_text())}
    return Upgrade(gibibytes, steps, found["seconds"], found["before"], found["most"], pages)


def without_migration(machine: Machine) -> Upgrade:
    """Measure an upgrade of the code alone."""
    machine.shell(f"echo 'ANOTHER = 1' >>{PACKAGE}/runtime/__init__.py")
    return measure(machine)


def with_migration(machine: Machine, revision: str) -> Upgrade:
    """Measure an upgrade that migrates the database."""
    next_release(machine, revision, head(machine), MIGRATION.format(name=f"of_{revision}"))
    return measure(machine)


def show(upgrades: dict[str, Upgrade]) -> None:
    """Print a table, with the ratio of the last column to the one before it."""
    print(f"{'':<52}" + "".join(f"{name:>16}" for name in upgrades) + f"{'ratio':>8}")
    columns = [upgrade.rows() for upgrade in upgrades.values()]
    for name in columns[0]:
        values = [column[name] for column in columns]
        ratio = f"{values[-1] / values[-2]:>8.1f}" if values[-2] else ""
        print(f"{name:<52}" + "".join(f"{value:>16.1f}" for value in values) + ratio)


def main() -> None:
    """Measure without a migration, and with one of a small and of a large database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default=roots.SUITES[0], choices=roots.SUITES)
    suite = parser.parse_args().suite
    debs = layers.build_packages(suite)
    with Machine("bench-upgrades", layers.installed(suite, debs), read_only=layers.package_mounts(debs)) as machine:
        wait_until_idle(machine)
        watch.switch_off(machine)
        upgrades = {"no migration": without_migration(machine), "10 MB": with_migration(machine, "900a")}
        sql(machine, FILL.format(rows=ROWS_OF_A_GIBIBYTE))
        upgrades["1 GiB"] = with_migration(machine, "901a")
        show(upgrades)


if __name__ == "__main__":
    main()
