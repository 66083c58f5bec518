#!/usr/bin/python3
"""Measure how long users wait for a page while others send slow requests. Run nothing else meanwhile."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "scripts"), str(TREE / "tests/system")]

import storms
from availability import measure_availability
from dcor_dev import layers, roots
from dcor_dev.machine import Machine
from users import make_user
from website import wait_for_page

CLIENTS = TREE / "tests/system/clients.txt"
#: of each measurement
SECONDS = 30


def main() -> None:
    """Measure without other requests and with each kind of slow ones, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default=roots.SUITES[0], choices=roots.SUITES)
    suite = parser.parse_args().suite
    debs = layers.build_packages(suite)
    stack = (*layers.installed(suite, debs), layers.clients(suite, CLIENTS))
    with Machine("bench-load", stack, read_only=layers.package_mounts(debs)) as machine:
        wait_for_page(machine)
        requests = storms.kinds(machine, make_user(machine, "someone"))
        storms.use_silent_relay(machine)
        calm = show(machine, "no other requests", f"sleep {SECONDS}")
        for kind, request in requests.items():
            show(machine, f"{storms.CLIENTS} x {kind}", storms.during(request, f"sleep {SECONDS}"), calm)
            print(f"    answers to those: {', '.join(f'{n} x {code}' for code, n in storms.answers(machine).items())}")


def show(machine: Machine, name: str, script: str, calm: float | None = None) -> float:
    """Print how the server responds while a script runs; return the 95th percentile in seconds."""
    seen = measure_availability(machine, script)
    ratio = "" if calm is None else f" ({seen.p95_seconds / calm:.1f} of that without)"
    print(f"{name:<52}p95 {seen.p95_seconds:.2f} s{ratio}, {len(seen.failed)} of {seen.requests} failed", flush=True)
    return seen.p95_seconds


if __name__ == "__main__":
    main()
