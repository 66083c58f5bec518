"""The admin's own lines for nginx's server block, `/etc/dcor-server/nginx.d/*.conf`.

nginx reads copies of these files, which are replaced only if nginx accepts the new ones together with the site. So a
mistake in an addition can neither keep nginx from starting at the next boot nor make Debian's upgrades of nginx fail;
and an addition that was not applied yet is found by comparing it with its copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import admin_files
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host

DIRECTORY = f"{paths.CONFIGURATION}/nginx.d"
COPIES = f"{paths.STATE}/nginx/additions"
SUFFIX = ".conf"
#: Only nginx's master process, which is root, reads the copies: they may contain secrets.
ACCESS = Access(0o600)
VALIDATE = ("nginx", "-t", "-q")
#: time, process and thread in nginx's messages: "2026/11/24 10:35:31 [emerg] 1138#1138: ..."
STAMP = r"^[0-9/]+ [0-9:]+ (?=\[)|(?<=\] )[0-9]+#[0-9]+: "
#: Validate the current additions in place of the copies, in a mount namespace that ends with the command.
VALIDATE_ADDITIONS = (
    "unshare",
    "--mount",
    "sh",
    "-ec",
    f"mount --bind {DIRECTORY} {COPIES}; exec {' '.join(VALIDATE)}",
)


def current(host: Host) -> dict[str, str]:
    """Return the text of each addition, by its file name. Raises DcorError for one that cannot be read."""
    return admin_files.texts(host, DIRECTORY, SUFFIX)


def copies(host: Host) -> dict[str, str]:
    """Return the text of each copy, by its file name."""
    return admin_files.texts(host, COPIES, SUFFIX)


def check(host: Host) -> str | None:
    """Return which addition differs from its copy, or None."""
    wanted, applied = current(host), copies(host)
    changed = [name for name in sorted({*wanted, *applied}) if wanted.get(name) != applied.get(name)]
    return f"{DIRECTORY}/{changed[0]} has changed and is not applied yet" if changed else None


def replace_copies(host: Host, texts: Mapping[str, str]) -> None:
    """Make the copies equal to `texts`, the text of each file by its name."""
    for name in copies(host):
        if name not in texts:
            host.remove(f"{COPIES}/{name}")
    for name, text in texts.items():
        host.write(f"{COPIES}/{name}", text, ACCESS)


def error(host: Host) -> str | None:
    """Return nginx's error message for the current additions, or None. Nothing is changed."""
    both = host.exists(DIRECTORY) and host.exists(COPIES)
    return _error(host, VALIDATE_ADDITIONS) if both else None


def validate(host: Host) -> None:
    """Raise DcorError if additions have changed and nginx would reject them."""
    message = error(host) if check(host) else None
    if message is not None:
        raise DcorError(message)


def configuration_error(host: Host) -> str | None:
    """Return nginx's error message for its configuration as it is on disk, or None.

    With an error nginx does not start at the next boot, and Debian's upgrades of nginx fail.
    """
    return _error(host, VALIDATE)


def with_admin_paths(message: str) -> str:
    """Return a message of nginx that names the admin's file instead of its copy, without time and process."""
    return re.sub(STAMP, "", message, flags=re.MULTILINE).replace(COPIES, DIRECTORY)


def _error(host: Host, command: tuple[str, ...]) -> str | None:
    try:
        host.run(*command)
    except CommandFailed as failure:
        lines = with_admin_paths(failure.hint).splitlines()
        return f"nginx rejects its configuration: {lines[0] if lines else failure.reason}"
    return None
