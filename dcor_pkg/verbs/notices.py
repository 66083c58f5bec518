"""What an admin should know and what is not wrong: it changes no exit code."""

from __future__ import annotations

import textwrap

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import additions as ckan_additions
from dcor_pkg.ckan.ckan_ini import ckan_ini
from dcor_pkg.ckan.known_issues import notices as known_issues
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.nginx import additions as nginx_additions

#: characters of a value that are worth telling
ENOUGH = 60


def collect(host: Host, settings: Settings) -> list[Notice]:
    """Return what is to be said of the files that an admin has added or changed. No secret is in it."""
    kept = managed_file.changed_by_admin(host)
    overruled = [] if CKAN_INI in kept else _overruled(host, settings)
    return [*overruled, *(_kept(host, path) for path in kept), *known_issues.collect(host)]


def not_applied(host: Host, settings: Settings) -> list[Notice]:
    """Return what is wrong with additions, which the steps of a converge tell as well."""
    validators = {
        ckan_additions.DIRECTORY: ckan_ini(settings).validate,
        nginx_additions.DIRECTORY: nginx_additions.validate,
    }
    found = []
    for directory, validator in validators.items():
        try:
            validator(host)
        except DcorError as error:
            found.append(Notice(directory, f"is not taken over: {error.reason}", error.hint))
    return found


def _overruled(host: Host, settings: Settings) -> list[Notice]:
    try:
        contradictions = ckan_ini(settings).contradictions(host)
    except DcorError:
        return []  # told by the step of the file
    return [
        Notice(
            option.file,
            f"sets {option}, which dcor-server sets too ({textwrap.shorten(ours, ENOUGH)!r}); the addition counts",
            f"Without line {option.line}, dcor-server's counts again after: dcor-server converge",
        )
        for option, ours in contradictions
    ]


def _kept(host: Host, path: str) -> Notice:
    beside = managed_file.new_version(path)
    way = f"mv {beside} {path}" if host.exists(beside) else f"rm {path}"
    return Notice(
        path,
        "was changed here and is kept" + ("; your additions do not count" if path == CKAN_INI else ""),
        f"To have dcor-server's text instead: {way}; dcor-server converge",
    )
