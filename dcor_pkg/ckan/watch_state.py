"""The watch over a release that was switched to: its deadline, and how often requests failed before."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dcor_pkg.ckan import past_releases
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER, STATE

STATE_FILE = f"{STATE}/watch.json"
UNIT = "dcor-watch.service"
SECONDS = 600.0
#: nginx's own; its files may belong to nginx's user, as whom it is read (log_format in maps.conf)
LOG = "/var/log/nginx/access.log"
STATUS = re.compile(r'" ([1-5]\d\d) \d+ "')
#: when it was answered (nginx, ngx_http_core_module, $time_local)
ANSWERED = re.compile(r" \[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] ")
#: of the log, to know how often requests failed before, and the most that is looked at at once
LINES, READ_SECONDS = 2000, 20.0
#: the last ones, which are about the release that is watched; fewer than the other number say nothing
RECENT, MIN_REQUESTS = 100, 20


@dataclass(frozen=True)
class Watch:
    """A watch; its fields are the keys of the state file."""

    release: str
    #: in seconds since 1970
    until: float
    #: the share of requests that were answered with 5xx, from 0 to 1
    failed_before: float

    @property
    def begun(self) -> float:
        """When the release began to serve, in seconds since 1970."""
        return self.until - SECONDS

    @property
    def is_open(self) -> bool:
        """Whether the time is not over. Where the clock was put back by years, it is: much was written since."""
        return 0 < self.until - time.time() <= SECONDS


def take_over(host: Host, wanted: Programs, former: Programs | None, database: str = "") -> None:
    """Record that programs serve now, and watch a release that has taken the place of another one."""
    past_releases.record(host, wanted, former, database)
    if former is not None and former.release != wanted.release:
        share = failed(lines(host)) or 0.0
        state_file.write(host, STATE_FILE, asdict(Watch(wanted.release, time.time() + SECONDS, share)))


def start(host: Host) -> None:
    """Start the unit, if there is something to watch; dcor-watch.timer does so after a boot.

    One that an administrator has masked is no reason to fail.
    """
    if read(host) is not None:
        host.succeeds("systemctl", "start", "--no-block", UNIT)


def read(host: Host) -> Watch | None:
    """Return the watch that has begun and not ended, or None."""
    found: dict[str, Any] = state_file.read(host, STATE_FILE, {})
    return Watch(**found) if found.keys() == Watch.__annotations__.keys() else None


def end(host: Host) -> None:
    """Record that nothing is watched."""
    host.remove(STATE_FILE)


def lines(host: Host) -> list[str]:
    """Return the last lines of the web log, or none where it cannot be read: then only the pages count."""
    try:
        text = host.run("tail", f"--lines={LINES}", LOG, user=CKAN_USER, timeout=READ_SECONDS)
    except CommandFailed:
        return []
    return text.splitlines()


def since(logged: list[str], begun: float) -> list[str]:
    """Return the lines of requests that were answered since then, in seconds since 1970."""
    return [line for line in logged if (found := ANSWERED.search(line)) and _answered(found[1]) >= begun]


def _answered(text: str) -> float:
    """Return a time in seconds since 1970; 0 for none, since a client's user name stands before nginx's own time."""
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        return 0.0


def failed(logged: list[str]) -> float | None:
    """Return the share of requests that were answered with 5xx, except 503 (maintenance); None if they are few."""
    statuses = [found[1] for found in map(STATUS.search, logged) if found and found[1] != "503"]
    if len(statuses) < MIN_REQUESTS:
        return None
    return len([status for status in statuses if status.startswith("5")]) / len(statuses)
