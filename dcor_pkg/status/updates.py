"""What `status` says of updates: whether packages are complete, when updates were installed, what waits, and why."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from dcor_pkg.kernel import pending
from dcor_pkg.kernel import updates as settings
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import package_manager, packages
from dcor_pkg.machine.host import Host

#: the packages of our repository; the first ones are upgraded together (debian/control)
OURS = (*packages.TOGETHER, "dcor-solr", "dcor-object-store", "dcor-archive-keyring")
#: of our repository (scripts/dcor_dev/repository.py)
ORIGIN = "DCOR"
#: in the versions of packages that are not the same for all (scripts/dcor_dev/packages.py)
MADE_FOR = re.compile(r"~deb(\d+)u\d+$")
#: the source of our packages, as the keyring makes it
SOURCE = "/etc/apt/sources.list.d/dcor.sources"
#: packages that are named
MOST = 5
#: apt looks for updates once a day, at any time of it
LOOKS_SECONDS = 2 * 24 * 3600.0
WHY = "To see why: apt update"


def unfinished(host: Host) -> str | None:
    """Return which packages apt or dpkg has left half done, and what to do; None also while one of them works."""
    if package_manager.is_busy(host):
        return None
    broken = [it for it in packages.known(host) if not it.is_whole]
    names = [f"{it.name} is {_state(it)}" for it in broken]
    if len(names) > MOST:
        names[MOST:] = [f"{len(names) - MOST} more"]
    if packages.is_interrupted(host):
        names.insert(0, "dpkg was interrupted")
    return f"{', '.join(names)}; to go on: {packages.way_on(broken)}{_from_files(host, broken)}" if names else None


def _from_files(host: Host, broken: Iterable[packages.Package]) -> str:
    """Return the command that unpacks again those that were installed from files, if any were."""
    files = [path for it in broken if (path := packages.kept(host, it.name)) is not None]
    return f"; where apt has no archive of it: dpkg --install {' '.join(files)}" if files else ""


def summary(host: Host) -> str:
    """Return when updates were looked for and installed, and which of our packages wait."""
    looked = packages.time_of(host, packages.LOOKED, packages.LISTS)
    upgraded = packages.time_of(host, packages.UPGRADED)
    waiting = ", ".join(f"{name} {version}" for name, version in sorted(packages.waiting(host, *OURS).items()))
    works = "; apt or dpkg works now" if package_manager.is_busy(host) else ""
    return f"looked for {moment(looked)}, installed {moment(upgraded)}, {waiting or 'none'} of ours waits{works}"


def release(host: Host, active: str, wanted: str, reason: str) -> str:
    """Return which release runs and, where that is another one, which is wanted, and why it does not run yet."""
    if pending.is_pending(host, pending.UPGRADE):
        reason = "packages were upgraded, and dcor-converge.service makes the release when apt has ended"
    elif wanted == active:
        return active
    return f"runs {active}, wanted {wanted}, because {reason or 'there was no converge since it is wanted'}"


def notices(host: Host) -> Iterator[Notice]:
    """Give what keeps updates from being installed, or from being effective."""
    ours = [it for it in packages.known(host) if it.name in OURS]
    held = [it.name for it in ours if it.want == "hold"]
    for name in held:
        all_of_them = f", and so are {', '.join(packages.TOGETHER)}" if name in packages.TOGETHER else ""
        yield Notice(name, f"is on hold{all_of_them}: no update is installed", f"To let it go: apt-mark unhold {name}")
    for name, end in packages.expired(host, ORIGIN, datetime.now(timezone.utc)).items():
        message = f"has expired on {end:%Y-%m-%d}, so apt installs nothing of this repository"
        yield Notice(f"{packages.LISTS}/{name}", message, "Is the repository still served? Then: apt update")
    yield from _failures(host)
    if packages.kept(host, packages.TOGETHER[0]) is None and not packages.has_archive(host, packages.TOGETHER[0]):
        message = "has no copy of the packages of this server, and no source of apt has them: a repair would lack them"
        yield Notice(packages.KEPT, message, f"In the directory with their files: ls ./*.deb | sudo {settings.KEEP}")
    if (former := _of_another_debian(host, ours)) is not None:
        message = f"is for Debian {former[1]}, and this is Debian {packages.debian(host)}"
        yield Notice(former[0], message, f"apt update, then: apt full-upgrade. The suite is in {SOURCE}")
    if host.exists(packages.REBOOT):
        needed = ", ".join(sorted(set((host.read(packages.REBOOT_PACKAGES) or "").split())))
        message = f"says that a reboot is needed{f' by {needed}' if needed else ''}"
        yield Notice(packages.REBOOT, message, "To let it happen at night: dcor-server set automatic-reboot=04:30")


def _failures(host: Host) -> Iterator[Notice]:
    """Give what went wrong when updates were last looked for, downloaded and installed."""
    if host.exists(settings.REJECTED):
        message = "says that apt has rejected the signature of a repository, so nothing new of it is installed"
        yield Notice(settings.REJECTED, message, WHY)
    looked = packages.time_of(host, packages.LOOKED, packages.LISTS)
    is_automatic = packages.time_of(host, packages.UPGRADED) is not None
    if is_automatic and looked is not None and time.time() - looked > LOOKS_SECONDS:
        message = f"has what apt has found on {moment(looked)}: since then it has looked for updates in vain"
        yield Notice(packages.LISTS, message, WHY)
    for error in packages.last_errors(host)[:1]:
        yield Notice(packages.UNATTENDED_LOG, f"says that updates were not installed: {error}", WHY)


def _of_another_debian(host: Host, ours: list[packages.Package]) -> tuple[str, str] | None:
    """Return the first of our packages that is made for another Debian, and for which one."""
    made = ((it.name, MADE_FOR.search(it.version)) for it in ours)
    return next(((name, it[1]) for name, it in made if it is not None and it[1] != packages.debian(host)), None)


def _state(package: packages.Package) -> str:
    return package.state if package.flag == "ok" else f"{package.state} ({package.flag})"


def moment(when: float | None) -> str:
    """Return a time of the clock, as it is shown; 0 and None are never."""
    return "never" if not when else time.strftime("%Y-%m-%d %H:%M", time.localtime(when))
