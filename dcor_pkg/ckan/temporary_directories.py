"""Where CKAN has what it can make again: a purge deletes these directories, so they are ours from the start."""

from __future__ import annotations

from dcor_pkg.answers.settings import InvalidAnswer, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host

LIBRARY = "/var/lib/ckan"
WEB_ASSETS, HOME = f"{LIBRARY}/webassets", f"{LIBRARY}/config"


def of_extensions(settings: Settings) -> tuple[str, ...]:
    """Return the directories of CKAN's extensions in the scratch directory, which others may use as well."""
    return tuple(f"{settings.scratch}/{name}" for name in ("ckanext-dc_serve", "ckanext-dcor_depot"))


def removal_lines(settings: Settings) -> tuple[str, ...]:
    """Return their lines in the removal plan; the scratch directory itself goes if it is empty."""
    directories = (*of_extensions(settings), WEB_ASSETS, HOME)
    return (*(f"temporary {path}" for path in directories), f"empty {settings.scratch}")


def check(host: Host, proposal: Proposal) -> None:
    """Raise DcorError where one of them has something of another CKAN's in it before the first installation."""
    if proposal.before is not None or instance.known(host) is not None:
        return
    for path in of_extensions(proposal.wanted):
        if host.names(path):
            scratch = proposal.wanted.scratch
            hint = "Choose another directory for temporary files, or move that away."
            raise InvalidAnswer("dcor-server/scratch-directory", scratch, f"{path} is another CKAN's", hint)
    if host.names(WEB_ASSETS):
        raise DcorError(f"{WEB_ASSETS} is another CKAN's: it is not empty.", "Move it away; CKAN makes it again.")
