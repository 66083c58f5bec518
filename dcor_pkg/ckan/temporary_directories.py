"""Where CKAN has what it can make again: a purge deletes these directories, so they are ours from the start."""

from __future__ import annotations

from dcor_pkg.answers.settings import InvalidAnswer, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import directory_trial
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER

QUESTION = "dcor-server/scratch-directory"
LIBRARY = "/var/lib/ckan"
WEB_ASSETS, HOME = f"{LIBRARY}/webassets", f"{LIBRARY}/config"


def of_extensions(settings: Settings) -> tuple[str, ...]:
    """Return the directories of CKAN's extensions in the scratch directory, which others may use as well."""
    return tuple(f"{settings.scratch}/{name}" for name in ("ckanext-dc_serve", "ckanext-dcor_depot"))


def of_uploads(settings: Settings) -> str:
    """Return the directory for what CKAN's web server and jobs make without a name: larger uploads to it, for example.

    They would be in /tmp, which may be small, or memory. The unit empties it when it starts, as it would its own /tmp:
    upstream's locks for jobs are files in it, and one that outlived a power cut would keep its measurement waiting.
    """
    return f"{settings.scratch}/ckan-temporary"


def removal_lines(settings: Settings) -> tuple[str, ...]:
    """Return their lines in the removal plan; the scratch directory itself goes if it is empty."""
    directories = (*of_extensions(settings), of_uploads(settings), WEB_ASSETS, HOME)
    return (*(f"temporary {path}" for path in directories), f"empty {settings.scratch}")


def check(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer where the scratch directory is somebody's, who could exchange what is in it.

    Raise DcorError where one of the directories has something of another CKAN's in it before the first installation.
    """
    scratch = proposal.wanted.scratch
    access = host.access(scratch)
    if access is None or access.owner != CKAN_USER:
        _check_place(host, scratch, access)
    if proposal.before is not None or instance.known(host) is not None:
        return
    for path in (*of_extensions(proposal.wanted), of_uploads(proposal.wanted)):
        if host.names(path):
            hint = "Choose another directory for temporary files, or move that away."
            raise InvalidAnswer(QUESTION, scratch, f"{path} is another CKAN's", hint)
    if host.names(WEB_ASSETS):
        raise DcorError(f"{WEB_ASSETS} is another CKAN's: it is not empty.", "Move it away; CKAN makes it again.")


def _check_place(host: Host, scratch: str, access: Access | None) -> None:
    """Raise InvalidAnswer for a scratch directory in which root cannot make those of CKAN, or others can."""
    if access is not None and not access.lets_pass:
        problem = (
            f"{scratch} is {access}: root has to own it, and nobody else may write in it, but everybody has to pass"
        )
        raise InvalidAnswer(QUESTION, scratch, problem, f"Choose another directory, for example {scratch}/dcor-server.")
    if (refused := directory_trial.refuses_owner(host, scratch, CKAN_USER)) is not None:
        raise InvalidAnswer(QUESTION, scratch, refused, "Choose a directory on a disk of this machine.")
