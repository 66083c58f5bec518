"""What dpkg and apt have recorded about packages: read, and never changed. Nothing is asked over the network."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from dcor_pkg.machine.host import Host

FORMAT = "${Package} ${db:Status-Want} ${db:Status-Eflag} ${db:Status-Status} ${Version}\n"
#: states in which a package is complete, or not there (dpkg(1), "Package states")
WHOLE = ("installed", "config-files", "not-installed")
#: our packages that are upgraded together (debian/control)
TOGETHER = ("dcor-server", "dcor-wheels", "python-ckan")
#: of a package that was cut off while it was unpacked (dpkg(1), "Package flags")
AGAIN = "reinstreq"
#: dpkg's journal: a file with a number for each change that it has not completed (dpkg's lib/dpkg/dbmodify.c)
JOURNAL = "/var/lib/dpkg/updates"
#: a directory for each set of packages that was installed from files, by its time (kernel/files/keep-packages). Root
#: installs them, so it is not below /var/cache/dcor-server, which CKAN's user owns
KEPT = "/var/lib/dcor-server/packages"
#: a line of `apt-cache policy` for a source that has a version of the package: priority and address
SOURCE = re.compile(r"^ {7,}-?\d+ (?!/var/lib/dpkg/status)", re.MULTILINE)
#: in that table: what has the installed version
INSTALLED = re.compile(r"^ \*\*\* .*\n((?: {7,}.*(?:\n|$))*)", re.MULTILINE)
OS_RELEASE = "/usr/lib/os-release"
#: the indexes that apt has fetched
LISTS = "/var/lib/apt/lists"
#: the time of each is that of the last success (apt's apt.systemd.daily)
LOOKED, UPGRADED = "/var/lib/apt/periodic/update-stamp", "/var/lib/apt/periodic/upgrade-stamp"
#: of unattended-upgrades, to which each of its runs is appended
UNATTENDED_LOG = "/var/log/unattended-upgrades/unattended-upgrades.log"
#: What it writes when it begins, and before what went wrong. That it has no program for its mail is none of that: it
#: says so in each run that has installed something (in any language), and `dcor-server report-updates` mails instead.
BEGINNING, ERROR = "Starting unattended upgrades script", re.compile(r" ERROR (?!.*/usr/bin/mail\b)(.+)$", re.MULTILINE)
#: apt-daily.service has unattended-upgrades download, and apt-daily-upgrade.service has it install
RUNS = 2
#: exists where an upgrade needs a reboot, with the packages beside it (unattended-upgrades, update-notifier)
REBOOT, REBOOT_PACKAGES = "/run/reboot-required", "/run/reboot-required.pkgs"


@dataclass(frozen=True)
class Package:
    """A package as dpkg knows it."""

    name: str
    want: str
    flag: str
    state: str
    version: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to be done with it."""
        return self.state in WHOLE and self.flag == "ok"


def way_on(packages: Iterable[Package]) -> str:
    """Return the commands that end an upgrade which has left these packages half done.

    One that dpkg wants to be installed again is configured by `apt --fix-broken install`, not unpacked (apt 2.6).
    Those of its set that are complete may be of before, so that it can only be installed with them. What is unpacked
    already must not be named: apt finds no file for it ("Internal Error").
    """
    half_done = {it.name: it.flag for it in packages if not it.is_whole}
    again = {name for name, flag in half_done.items() if flag == AGAIN}
    others = set(TOGETHER) - half_done.keys() if again.intersection(TOGETHER) else set()
    named = sorted(again | others)
    return f"dpkg --configure -a, then apt {' '.join(('install --reinstall', *named)) if named else '--fix-broken install'}"


def known(host: Host) -> list[Package]:
    """Return all packages that dpkg knows."""
    lines = host.run("dpkg-query", "--show", f"--showformat={FORMAT}").splitlines()
    return [Package(*line.split(" ")) for line in lines]


def is_interrupted(host: Host) -> bool:
    """Tell whether dpkg was killed while it changed its database; apt refuses everything then."""
    return any(name.isdigit() for name in host.names(JOURNAL))


def kept(host: Host, package: str) -> str | None:
    """Return the path of the newest copy of a package that was installed from a file, or None."""
    places = [f"{KEPT}/{name}" for name in sorted(host.names(KEPT), reverse=True) if name.isalnum()]
    files = (f"{place}/{name}" for place in places for name in host.names(place) if name.startswith(f"{package}_"))
    return next(files, None)


def waiting(host: Host, *names: str) -> dict[str, str]:
    """Return the versions that apt would install, as far as it knows, of those packages that have another one."""
    found = re.findall(
        r"^(\S+):\n +Installed: (\S+)\n +Candidate: (\S+)$", host.run("apt-cache", "policy", *names), re.MULTILINE
    )
    return {name: candidate for name, installed, candidate in found if candidate not in (installed, "(none)")}


def debian(host: Host) -> str:
    """Return the number of this Debian; nothing where it does not say (os-release(5))."""
    found = re.search(r'^VERSION_ID="?(\d+)', host.read(OS_RELEASE) or "", re.MULTILINE)
    return found[1] if found else ""


def is_offered(host: Host, name: str) -> bool:
    """Tell whether a source of apt has a package. One that only dpkg knows gets no updates any more."""
    return SOURCE.search(host.run("apt-cache", "policy", name)) is not None


def has_archive(host: Host, name: str) -> bool:
    """Tell whether a source of apt has the installed version of a package, or another one that apt would install."""
    if waiting(host, name):
        return True
    found = INSTALLED.search(host.run("apt-cache", "policy", name))
    return found is not None and SOURCE.search(found[1]) is not None


def expired(host: Host, origin: str, now: datetime) -> dict[str, datetime]:
    """Return when each index of a repository of this origin has expired: apt takes nothing from it any more."""
    texts = {name: host.read(f"{LISTS}/{name}") or "" for name in host.names(LISTS) if name.endswith("Release")}
    until = {name: _valid_until(text) for name, text in texts.items() if f"\nOrigin: {origin}\n" in f"\n{text}"}
    return {name: end for name, end in until.items() if end is not None and end < now}


def time_of(host: Host, *paths: str) -> float | None:
    """Return when the newest of these files was changed, in seconds since 1970; None where there is none."""
    times = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            times.append(host.path(path).stat().st_mtime)
    return max(times, default=None)


def last_errors(host: Host) -> list[str]:
    """Return what went wrong in the last runs of unattended-upgrades."""
    runs = (host.read(UNATTENDED_LOG) or "").split(BEGINNING)[1:]
    return [error for run in runs[-RUNS:] for error in ERROR.findall(run)]


def _valid_until(text: str) -> datetime | None:
    """Return the time in a Release file (Debian wiki, RepositoryFormat, "Date, Valid-Until")."""
    found = re.search(r"^Valid-Until: (.+)$", text, re.MULTILINE)
    return parsedate_to_datetime(found[1].replace("UTC", "+0000")) if found else None
