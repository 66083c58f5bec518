"""What an admin should know of the known issues: upstream's code has changed where one was expected."""

from __future__ import annotations

from dcor_pkg.ckan import release
from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.ckan.known_issues.issue import Issue, State
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine.host import Host


def collect(host: Host) -> list[Notice]:
    """Return a notice for each known issue for which the active release is not as expected; none without a release."""
    active = release.active(host)
    if active is None or not release.is_made(host, active):
        return []
    site = release.site_packages(host, release.directory(active))
    return [_notice(site, issue) for issue in registry.in_state(host, site, State.UNEXPECTED)]


def _notice(site: str, issue: Issue) -> Notice:
    return Notice(
        f"{site}/{issue.cure.file}",
        f"is not as expected by the known issue {issue.name}: it has neither the fault nor a known fix",
        f"Nothing was changed there. If you see {issue.symptom!r}, report it to the maintainers of dcor-server.",
    )
