#!/usr/bin/python3
"""Measure the duration of changes of settings, and the longest interruption of the site. Run nothing else meanwhile."""

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
#: Installs a package with our questions and empty scripts: its reconfiguration takes the time of debconf alone.
QUESTIONS_ONLY = """
mkdir -p /srv/questions/DEBIAN && cd /srv/questions/DEBIAN
sed 's,dcor-server/,dcor-questions/,' /var/lib/dpkg/info/dcor-server.templates >templates
printf '%s\\n' 'Package: dcor-questions' 'Version: 1' 'Architecture: all' 'Maintainer: -' 'Description: -' >control
printf '#!/bin/sh\\n# confmodule\\n' | tee config prerm >postinst
chmod 755 config prerm postinst
dpkg-deb --build /srv/questions /srv >&2 && dpkg --install /srv/dcor-questions_1_all.deb >&2
"""
#: How often each command that changes nothing is measured.
RUNS = 9
DEBCONF = {"dpkg-reconfigure, debconf alone": f"{RECONFIGURE} dcor-questions"}
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
    """Return the duration of a command in the machine in seconds."""
    start = time.monotonic()
    machine.shell(command, timeout=300)
    return time.monotonic() - start


def show_nothing(machine: Machine) -> None:
    """Measure the commands that change nothing, alternately, so that other load on the computer affects all of them."""
    machine.shell(QUESTIONS_ONLY)
    commands = {**DEBCONF, **NOTHING}
    turns = [[seconds(machine, command) for command in commands.values()] for _ in range(RUNS)]
    for name, taken in zip(commands, zip(*turns)):
        show(name, _figure(taken))
    show("dpkg-reconfigure, without debconf's share", _figure([whole - debconf for debconf, whole, _ in turns]))


def _figure(taken: Sequence[float]) -> str:
    return f"{statistics.median(taken):>8.2f} s, median of {len(taken)}; {min(taken):.2f} to {max(taken):.2f}"


def main() -> None:
    """Measure, and print each result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default=roots.SUITES[0], choices=roots.SUITES)
    suite = parser.parse_args().suite
    debs = layers.build_packages(suite)
    with Machine("bench-changes", layers.installed(suite, debs), read_only=layers.package_mounts(debs)) as machine:
        wait_for_page(machine)
        machine.shell(f"echo '127.0.0.1 {OTHER}' >>/etc/hosts")
        # First without requests, for the durations; then with requests, for the interruptions.
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
