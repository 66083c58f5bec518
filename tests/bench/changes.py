#!/usr/bin/python3
"""Measure what a changed answer costs: seconds, and the longest gap for whoever asks ten times a second. Run alone."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "scripts"), str(TREE / "tests/system")]

from availability import measure_availability
from dcor_dev import layers, roots
from dcor_dev.machine import HOSTNAME, Machine
from website import wait_for_page

OTHER = "measurements.example.org"
RECONFIGURE = "dpkg-reconfigure --frontend=noninteractive"
#: A package with our questions, and scripts that do nothing: its reconfiguration is debconf's own share of ours.
ASKED_ONLY = """
mkdir -p /srv/asked/DEBIAN && cd /srv/asked/DEBIAN
sed 's,dcor-server/,dcor-asked/,' /var/lib/dpkg/info/dcor-server.templates >templates
printf '%s\\n' 'Package: dcor-asked' 'Version: 1' 'Architecture: all' 'Maintainer: -' 'Description: -' >control
printf '#!/bin/sh\\n# confmodule\\n' | tee config prerm >postinst
chmod 755 config prerm postinst
dpkg-deb --build /srv/asked /srv >&2 && dpkg --install /srv/dcor-asked_1_all.deb >&2
"""
#: what changes nothing, and is done so often
RUNS = 9
DEBCONF = {"dpkg-reconfigure, debconf's own": f"{RECONFIGURE} dcor-asked"}
NOTHING = {
    "dpkg-reconfigure that changes nothing": f"{RECONFIGURE} dcor-server",
    "converge that changes nothing": "dcor-server converge",
}
CHANGES = {
    "another title": "dcor-server set site-title=Deformable",
    "another host name": f"dcor-server set hostname={OTHER}",
    "the former host name": f"dcor-server set hostname={HOSTNAME}",
}


def show(name: str, figure: str) -> None:
    """Print one figure."""
    print(f"{name:<48}{figure}", flush=True)


def seconds(machine: Machine, command: str) -> float:
    """Return how long a command takes inside."""
    start = time.monotonic()
    machine.shell(command, timeout=300)
    return time.monotonic() - start


def show_nothing(machine: Machine) -> None:
    """Measure what changes nothing, in turns: so what else the computer does falls on all alike."""
    machine.shell(ASKED_ONLY)
    commands = {**DEBCONF, **NOTHING}
    turns = [[seconds(machine, command) for command in commands.values()] for _ in range(RUNS)]
    for name, taken in zip(commands, zip(*turns)):
        show(name, _figure(taken))
    show("dpkg-reconfigure, ours of that", _figure([whole - debconf for debconf, whole, _ in turns]))


def _figure(taken: Sequence[float]) -> str:
    return f"{statistics.median(taken):>8.2f} s, median of {len(taken)}; {min(taken):.2f} to {max(taken):.2f}"


def main() -> None:
    """Measure, and print each figure when it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default=roots.SUITES[0], choices=roots.SUITES)
    suite = parser.parse_args().suite
    debs = layers.build_packages(suite)
    with Machine("bench-changes", layers.installed(suite, debs), read_only=layers.package_mounts(debs)) as machine:
        wait_for_page(machine)
        machine.shell(f"echo '127.0.0.1 {OTHER}' >>/etc/hosts")
        # while nobody asks, for the seconds; once more for the gap, back and forth where it changes something
        show_nothing(machine)
        for name, command in CHANGES.items():
            show(name, f"{seconds(machine, command):>8.2f} s")
        for name, command in {**NOTHING, **CHANGES}.items():
            availability = measure_availability(machine, command.replace("Deformable", "Cells"), HOSTNAME, OTHER)
            show(
                name,
                f"{availability.longest_gap_seconds:>8.2f} s longest gap, {len(availability.failed)} of {availability.requests} failed",
            )


if __name__ == "__main__":
    main()
