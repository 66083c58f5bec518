"""Send a signal to each process of the server in turn, while others read, write and do jobs; print what became of them.

It runs on the server itself, as root, with the Python of a release: `killer.py HOST TOKEN-FILE HOW`, with a key of
SIGNALS. Prints JSON.
The processes are found by their control groups: all services, but those of OTHERS. So a new one is among them.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from writing import Server, Writer

GROUPS = Path("/sys/fs/cgroup/system.slice")
#: services that the server does not consist of; this program runs in one of its own
OTHERS = re.compile(
    r"(systemd-.*|dbus.*|cron.*|rsyslog|getty.*|console-getty|container-getty.*|serial-getty.*|user.*|supervisor"
    r"|redis-server|networking|polkit|unattended-upgrades|apt-.*|dpkg-.*|man-db|logrotate|e2scrub.*|fstrim|killer"
    r"|dcor-(converge|retry|nightly|mail@.*))\.service"
)
SEARCH, PAGE = "/api/3/action/package_search?rows=1", "/user/login"
#: a part is served again when so many reads in a row have succeeded
IN_A_ROW = 5
#: after a signal, for what was queued again
REST_SECONDS = 60.0
MAX_PROCESSES = 120


@dataclass(frozen=True)
class Process:
    """A process of a service; its name is the same after a restart."""

    id: int
    unit: str
    name: str


@dataclass
class Row:
    """What happened after a signal."""

    unit: str
    process: str
    #: from the signal to the first of the reads that succeeded, and reads that failed in between
    seconds: float
    failed: list[str] = field(default_factory=list)
    #: of `dcor-server status` while a part was stopped: exit code, seconds, and the parts that it named
    status: int = 0
    status_seconds: float = 0.0
    named: list[str] = field(default_factory=list)


def services() -> list[str]:
    """Return the services that run."""
    found = [path.parent.name for path in GROUPS.rglob("*.service/cgroup.procs") if path.read_text().strip()]
    return sorted({unit for unit in found if not OTHERS.fullmatch(unit)})


def processes() -> list[Process]:
    """Return the processes of all services. Several of one kind are numbered."""
    found = []
    for unit in services():
        (group,) = (path for path in GROUPS.rglob(unit) if path.is_dir())
        kinds: dict[str, int] = {}
        for process in sorted(map(int, (group / "cgroup.procs").read_text().split())):
            kind = _kind(process)
            if kind:
                kinds[kind] = kinds.get(kind, 0) + 1
                found.append(Process(process, unit, f"{kind} {kinds[kind]}"))
    return found


def _kind(process: int) -> str:
    """Return the command of a process without numbers and paths, and how many of its ancestors have the same one."""
    try:
        command = _command(process)
        depth, parent = 0, process
        while (parent := _parent(parent)) > 1 and _command(parent) == command:
            depth += 1
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return f"{command}{'+' * depth}" if command else ""


def _command(process: int) -> str:
    words = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").split()
    return re.sub(r"[0-9a-f.]*[0-9][0-9a-f.]*", "N", " ".join(word.rpartition("/")[2] for word in words))[:60]


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def served(server: Server, since: float, row: Row) -> None:
    """Wait until reads succeed again, and record since when, and those that failed. Raises TimeoutError."""
    good: list[float] = []
    while len(good) < IN_A_ROW:
        problem = server.problem(SEARCH if len(good) % 2 == 0 else PAGE)
        if problem is None:
            good.append(time.monotonic())
        else:
            good.clear()
            row.failed.append(problem)
        if time.monotonic() - since > 300:
            raise TimeoutError(f"after {row.process} was killed: {row.failed[-3:]}")
        time.sleep(0.1)
    row.seconds = round(good[0] - since, 1)


def main_processes() -> list[Process]:
    """Return the processes that systemd watches, one of each service."""
    shown = subprocess.run(
        ["systemctl", "show", "--property=MainPID", "--value", *services()], capture_output=True, text=True, check=True
    )
    main = set(map(int, shown.stdout.split()))
    return [it for it in processes() if it.id in main]


def kill_each(server: Server, writer: Writer, find: Callable[[], list[Process]] = processes) -> Iterator[Row]:
    """Kill each process, once; those that are new because of that are other ones of the same names."""
    done: set[tuple[str, str]] = set()
    while left := [it for it in find() if (it.unit, it.name) not in done]:
        it = left[0]
        done.add((it.unit, it.name))
        row, since = Row(it.unit, it.name, 0.0), time.monotonic()
        try:
            os.kill(it.id, signal.SIGKILL)
        except ProcessLookupError:
            continue
        served(server, since, row)
        # A job whose worker is killed is queued again, once: another kill must not meet it.
        writer.await_jobs(REST_SECONDS)
        yield row
        if len(done) > MAX_PROCESSES:
            raise RuntimeError(f"there are always others: {sorted(done)}")


def kill_main_processes(server: Server, writer: Writer) -> Iterator[Row]:
    """Kill the process of each service that systemd watches."""
    return kill_each(server, writer, main_processes)


def stop_each(server: Server, _: Writer) -> Iterator[Row]:
    """Stop all processes of each service, see what `dcor-server status` says, and let them go on."""
    for unit in services():
        row = Row(unit, "all", 0.0)
        subprocess.run(["systemctl", "kill", "--signal=STOP", unit], check=True)
        since = time.monotonic()
        shown = subprocess.run(["dcor-server", "status", "--json"], capture_output=True, check=False, timeout=900)
        row.status, row.status_seconds = shown.returncode, round(time.monotonic() - since, 1)
        row.named = [part["name"] for part in json.loads(shown.stdout or b'{"parts": []}')["parts"] if part["problem"]]
        since = time.monotonic()
        subprocess.run(["systemctl", "kill", "--signal=CONT", unit], check=True)
        served(server, since, row)
        yield row


#: what gets a signal, and which
SIGNALS = {"kill-main": kill_main_processes, "kill": kill_each, "stop": stop_each}


def main(name: str, token: Path, how: str) -> dict[str, Any]:
    """Return the rows, and what was lost."""
    server = Server(name, token.read_text().strip())
    circle = f"killer-{uuid.uuid4().hex[:6]}"
    status, answer = server.ask("/api/3/action/organization_create", {"name": circle})
    if status != 200:
        raise RuntimeError(f"no circle: {answer}")
    writer = Writer(server, circle)
    writer.start()
    rows = list(SIGNALS[how](server, writer))
    writer.stopping.set()
    writer.join()
    deadline = time.monotonic() + REST_SECONDS
    while any(lost := writer.lost()) and time.monotonic() < deadline:
        time.sleep(2)
    kinds = ("datasets", "unfound", "jobs")
    written = {"datasets": len(writer.datasets), "jobs": len(writer.jobs)}
    return {"rows": list(map(asdict, rows)), "written": written, "lost": dict(zip(kinds, lost))}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
