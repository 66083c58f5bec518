#!/usr/bin/python3
"""Measure an installation on a new machine: duration, disk and memory. Run nothing else meanwhile."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "scripts"), str(TREE / "tests/system")]

from dcor_dev import layers, roots
from dcor_dev.machine import Machine
from website import CURL, SITE, wait_for_page

#: Prints a line for each process: its share of memory in KiB (proc(5), smaps_rollup: Pss), and its command line.
MEMORY = r"""
for process in /proc/[0-9]*; do
    pss=$(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "$process/smaps_rollup" 2>/dev/null) || continue
    [ -n "$pss" ] && echo "$pss $(tr '\0\n' '  ' <"$process/cmdline")"
done
"""

#: The group of a process, by a word in its command line; the first match counts.
GROUPS = {
    "web": "bin/uwsgi",
    "job workers": "dcor_runtime.workers",
    "search (Solr)": "/usr/share/dcor-solr",
    "object store": "/weed",
    "PostgreSQL": "postgres",
    "Redis": "redis-server",
    "nginx": "nginx",
    "supervisor": "supervisord",
}
VERBS = {"converge": "converge that changes nothing", "check": "check that finds nothing", "status": "status"}
ENGINES = ("dcor-solr.service", "dcor-object-store.service")
DISK = ("/usr/lib/ckan/default", "/usr/share/dcor-wheels", "/usr/share/dcor-solr", "/var/lib/dcor-server/releases")


def seconds(work: Callable[[], object]) -> float:
    """Return the duration of a function in seconds."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def run(machine: Machine, *argv: str) -> float:
    """Return the duration of a command in the machine in seconds."""
    return seconds(lambda: machine.run(*argv))


def show(name: str, figure: str) -> None:
    """Print one figure."""
    print(f"{name:<52}{figure:>14}", flush=True)


def debian_alone(below: layers.Stack, debs: list[Path]) -> float:
    """Return the duration of installing only the Debian packages that ours depend on."""
    with Machine("bench-debian", below, read_only=layers.package_mounts(debs)) as machine:
        simulated = machine.run(
            *layers.INSTALL, "--simulate", *layers.paths_inside(debs), env=layers.NONINTERACTIVE
        ).stdout
        ours = {deb.name.split("_")[0] for deb in debs}
        names = [line.split()[1] for line in simulated.splitlines() if line.startswith("Inst ")]
        theirs = [name for name in names if name not in ours]
        return seconds(lambda: machine.run(*layers.INSTALL, *theirs, env=layers.NONINTERACTIVE, timeout=900))


def memory(machine: Machine) -> dict[str, float]:
    """Return the memory of each group of processes in MiB."""
    found = dict.fromkeys(GROUPS, 0.0)
    for line in machine.shell(MEMORY).splitlines():
        pss, command = line.split(" ", 1)
        group = next((name for name, word in GROUPS.items() if word in command), None)
        if group is not None:
            found[group] += int(pss) / 1024
    return found


def main() -> None:
    """Measure, and print each result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", default=roots.SUITES[0], choices=roots.SUITES)
    suite = parser.parse_args().suite
    debs = layers.build_packages(suite)
    below = layers.debian_packages(suite, debs)
    alone = debian_alone(below, debs)
    show("Debian's packages alone, from the cache", f"{alone:.1f} s")
    with Machine("bench", below, read_only=layers.package_mounts(debs)) as machine:
        whole = seconds(lambda: layers.install(machine, debs)) + seconds(lambda: wait_for_page(machine))
        show("apt install of all, to the first page", f"{whole:.1f} s")
        show("ours of that (ratio to Debian's alone)", f"{whole - alone:.1f} s ({(whole - alone) / alone:.2f})")
        for line in machine.shell(
            "grep -E 'configure dcor-server|status installed dcor-server' /var/log/dpkg.log"
        ).splitlines():
            show(f"  {' '.join(line.split()[2:4])}", line.split()[1])
        for verb, what in VERBS.items():
            runs = [run(machine, "dcor-server", verb) for _ in range(5)]
            show(f"{what} (median of 5)", f"{statistics.median(runs):.2f} s")
        show("page, warm (median of 20)", page(machine))
        for group, mebibytes in memory(machine).items():
            show(f"memory (PSS), {group}", f"{mebibytes:.0f} MiB")
        for directory in DISK:
            show(f"disk, {directory}", f"{machine.shell(f'du -sm {directory}').split()[0]} MiB")
        for unit in ENGINES:
            for verb in ("stop", "start"):
                show(f"{verb} of {unit}", f"{run(machine, 'systemctl', verb, unit):.1f} s")
        machine.poweroff()
        boot = seconds(machine.start) + seconds(lambda: wait_for_page(machine))
        show("boot to the first page", f"{boot:.1f} s")


def page(machine: Machine) -> str:
    """Return the median time of the first page, asked for by a signed-out user who has a cookie (not cached)."""
    asked = f"{CURL} --output /dev/null --write-out '%{{time_total}}\\n' --cookie dcor=x {SITE}/"
    times = [float(machine.shell(asked)) for _ in range(20)]
    return f"{1000 * statistics.median(times):.0f} ms"


if __name__ == "__main__":
    main()
