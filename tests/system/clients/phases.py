"""Record how long each phase of an upgrade takes, and the most disk and memory that is used meanwhile.

`phases.py STOP`: it runs on the server, as root, until there is the file STOP, and prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

STATE = Path("/var/lib/dcor-server")
#: in the copies of CKAN's configuration for a trial
COPY = "ckan_default_copy"
#: beside it, until the copy is migrated
HOLD = "hold"
#: what an upgrade fills
DIRECTORIES = ("/var/lib/postgresql", "/var/lib/dcor-server", "/var/backups/dcor-server")
INTERVAL_SECONDS, PEAK_INTERVAL_SECONDS = 0.05, 1.0
#: of a migration, in their order
LOADING, COPYING, TRIAL, EXCHANGE, END = PHASES = (
    "the release is loaded, job workers end",
    "requests end, the database is copied and migrated",
    "the release is proven on the copy",
    "the names are exchanged, the release is proven",
    "nginx has turned, until the end",
)
MAINTENANCE = "503"


def phase(had_trial: bool) -> str | None:
    """Return which phase of a migration is under way, or None. `had_trial`: whether that of the trial is over."""
    act = _read(STATE / "migration.json")
    tried = [it for it in (STATE / "configurations").glob("*/ckan.ini") if COPY in _read(it)]
    if not act:
        return LOADING if tried else None
    if json.loads(act).get("turned"):
        return END
    if any(not it.with_name(HOLD).exists() for it in tried):
        return TRIAL
    return EXCHANGE if had_trial else COPYING if is_maintained() else LOADING


def is_maintained() -> bool:
    """Return whether everybody gets 503."""
    return (STATE / "nginx/maintenance").exists()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def memory() -> int:
    """Return the memory of all processes in MiB (proc(5), smaps_rollup: Pss)."""
    kibibytes = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            lines = (process / "smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kibibytes // 1024


def disk() -> int:
    """Return what DIRECTORIES use in MiB. Files vanish meanwhile, so du may fail and still print the sum."""
    argv = ["du", "--summarize", "--total", "--block-size=1M", *DIRECTORIES]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return int(done.stdout.splitlines()[-1].split()[0])


class Peaks(threading.Thread):
    """Notes what is used at the beginning, and the most since then."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.first = {"disk": disk(), "memory": memory()}
        self.most = dict(self.first)

    def run(self) -> None:
        """Look again and again."""
        while True:
            for name, found in (("disk", disk()), ("memory", memory())):
                self.most[name] = max(self.most[name], found)
            time.sleep(PEAK_INTERVAL_SECONDS)


def record(stop: Path) -> dict[str, float]:
    """Return the seconds of each phase, and of 503."""
    seconds: defaultdict[str, float] = defaultdict(float)
    last = time.monotonic()
    while not stop.exists():
        time.sleep(INTERVAL_SECONDS)
        now = time.monotonic()
        found = phase(had_trial=seconds[TRIAL] > 0)
        names = [*([found] if found else []), *([MAINTENANCE] if is_maintained() else [])]
        for name in names:
            seconds[name] += now - last
        last = now
    return dict(seconds)


if __name__ == "__main__":
    peaks = Peaks()
    peaks.start()
    recorded = record(Path(sys.argv[1]))
    print(json.dumps({"seconds": recorded, "before": peaks.first, "most": peaks.most}))
