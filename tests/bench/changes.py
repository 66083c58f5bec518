#!/usr/bin/python3
"""Measure what a changed answer costs: seconds, and the longest gap that somebody sees who asks ten times a second. Run alone."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "scripts"), str(TREE / "tests/system")]

from dcor_dev import layers, roots
from dcor_dev.machine import HOSTNAME, Machine
from probe import probed
from served import await_page

OTHER = "measurements.example.org"
#: what is measured, and how it is done; the first is debconf and dpkg without any work of ours, for comparison
CHANGES = {
    "dpkg-reconfigure of another package (tzdata)": "dpkg-reconfigure --frontend=noninteractive tzdata",
    "dpkg-reconfigure that changes nothing": "dpkg-reconfigure --frontend=noninteractive dcor-server",
    "converge that changes nothing": "dcor-server converge",
    "another title": "dcor-server set site-title=Deformable",
    "another host name": f"dcor-server set hostname={OTHER}",
    "the former host name": f"dcor-server set hostname={HOSTNAME}",
}


def main() -> None:
    """Measure, and print each figure when it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default=roots.SUITES[0], choices=roots.SUITES)
    suite = parser.parse_args().suite
    debs = layers.built(suite)
    with Machine("bench-changes", layers.installed(suite, debs), read_only=layers.shown(debs)) as machine:
        await_page(machine)
        machine.shell(f"echo '127.0.0.1 {OTHER}' >>/etc/hosts")
        for name, command in CHANGES.items():
            # once while nobody asks, for the seconds; once more for the gap, back and forth where it changes something
            start = time.monotonic()
            machine.shell(command, timeout=300)
            took = time.monotonic() - start
            print(f"{name:<48}{took:>8.2f} s", flush=True)
        for name, command in CHANGES.items():
            seen = probed(machine, command.replace("Deformable", "Cells"), HOSTNAME, OTHER)
            print(
                f"{name:<48}{seen.longest:>8.2f} s longest gap, {len(seen.failed)} of {seen.asked} failed", flush=True
            )


if __name__ == "__main__":
    main()
