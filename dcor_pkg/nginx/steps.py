"""The steps of nginx."""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access
from dcor_pkg.nginx import additions
from dcor_pkg.nginx.site import UNIT, NginxService, Site, site


def steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that make nginx serve."""
    return (
        Directory(additions.DIRECTORY, Access(0o755)),
        Directory(additions.COPIES, Access(0o700)),
        Site(site(settings, facts)),
        NginxService(UNIT),
    )
