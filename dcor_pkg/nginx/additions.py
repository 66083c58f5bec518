"""The admin's own lines for nginx's server block, `/etc/dcor-server/nginx.d/*.conf`.

nginx reads copies of them, taken over together with our site when it accepts both. So a line that it refuses can neither
keep it from starting at the next boot nor make Debian's upgrades of nginx fail, and a change is seen by comparing.
"""

from __future__ import annotations

import re

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import admin_files
from dcor_pkg.machine.host import Access, Host

DIRECTORY = "/etc/dcor-server/nginx.d"
COPIES = "/var/lib/dcor-server/nginx/additions"
ENDING = ".conf"
#: Only nginx's master, which is root, reads them: there may be secrets in them.
ACCESS = Access(0o600)
VALIDATE = ("nginx", "-t", "-q")
#: how it begins what it says then
STAMP = r"^[0-9/]+ [0-9:]+ (?=\[)|(?<=\]) [0-9]+#[0-9]+:"
#: the same, with the additions of now, in a view of the file system that ends with the command
VALIDATE_ADDITIONS = (
    "unshare",
    "--mount",
    "sh",
    "-ec",
    f"mount --bind {DIRECTORY} {COPIES}; exec {' '.join(VALIDATE)}",
)


def pending(host: Host) -> str | None:
    """Return in half a sentence which addition was not taken over yet."""
    wanted, taken = (admin_files.texts(host, directory, ENDING) for directory in (DIRECTORY, COPIES))
    changed = [name for name in sorted({*wanted, *taken}) if wanted.get(name) != taken.get(name)]
    return f"{DIRECTORY}/{changed[0]} has changed, and is not taken over yet" if changed else None


def take(host: Host, texts: dict[str, str]) -> None:
    """Make the copies these."""
    for name in admin_files.texts(host, COPIES, ENDING):
        if name not in texts:
            host.remove(f"{COPIES}/{name}")
    for name, text in texts.items():
        host.write(f"{COPIES}/{name}", text, ACCESS)


def refusal(host: Host) -> str | None:
    """Tell what nginx has against the additions of now, in its own words; nothing is changed."""
    there = host.exists(DIRECTORY) and host.exists(COPIES)
    return _refusal(host, VALIDATE_ADDITIONS) if there else None


def validate(host: Host) -> None:
    """Raise DcorError when there are additions that nginx would not take over."""
    words = refusal(host) if pending(host) else None
    if words is not None:
        raise DcorError(words)


def standing_refusal(host: Host) -> str | None:
    """Tell what nginx has against its files as they are: then Debian's upgrades of nginx fail, and its next start."""
    return _refusal(host, VALIDATE)


def named(words: str) -> str:
    """Return nginx's words with the admin's file in the place of its copy, and without the time and the process."""
    return re.sub(STAMP, "", words, flags=re.MULTILINE).replace(COPIES, DIRECTORY)


def _refusal(host: Host, command: tuple[str, ...]) -> str | None:
    try:
        host.run(*command)
    except CommandFailed as error:
        words = named(error.hint).splitlines()
        return f"nginx refuses its configuration: {words[0] if words else error.reason}"
    return None
