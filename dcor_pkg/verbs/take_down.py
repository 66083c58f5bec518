"""Take the site down, when the package is removed: data, database and configuration stay."""

from __future__ import annotations

from collections.abc import Callable

from dcor_pkg import converge
from dcor_pkg.ckan import admin_commands, supervisor
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import DIVERTED_SUFFIX, PACKAGED_CKAN
from dcor_pkg.nginx import take_down as nginx
from dcor_pkg.services import engines

PROGRAMS = "/etc/supervisor/conf.d"
#: what would start again what we stop, or work with it
HEALERS = (
    *("dcor-converge.timer", "dcor-retry.timer", "dcor-nightly.timer"),
    *("dcor-converge.service", "dcor-nightly.service"),
)


def take_down(host: Host, tell: Callable[[str], object]) -> None:
    """Do each part, whatever becomes of the others; `tell` hears of those that fail."""
    for part in (_stop_healing, nginx.take_down, _stop_programs, _stop_engines, _give_back_commands, _forget):
        try:
            part(host)
        except DcorError as error:
            tell(f"{error.reason}: {error.hint}")


def _stop_healing(host: Host) -> None:
    host.run("systemctl", "stop", *HEALERS)


def _stop_programs(host: Host) -> None:
    for name in host.names(PROGRAMS):
        if name.startswith("dcor-"):
            managed_file.remove(host, f"{PROGRAMS}/{name}")
    if supervisor.states(host):
        supervisor.update(host)


def _stop_engines(host: Host) -> None:
    steps = [step for engine in engines.ENGINES if engine.started_by_us for step in engine.switch_off]
    for step in steps:
        if step.check(host) is not None:
            step.apply(host)


def _give_back_commands(host: Host) -> None:
    for link in admin_commands.LINKS:
        path = f"{PACKAGED_CKAN}/bin/{link}"
        if host.target(path) is not None:
            host.remove(path)
        if host.exists(path + DIVERTED_SUFFIX):
            host.run("dpkg-divert", "--quiet", "--package", "dcor-server", "--rename", "--remove", path)


def _forget(host: Host) -> None:
    """A later installation is a first one again: it may fail, and say so."""
    host.remove(converge.STATE)
