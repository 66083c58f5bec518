"""Render the templates; a value that is missing is an error, never an empty text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Host

#: what begins a comment in an INI file, and the option of the section DEFAULT that stands for it in a value
COMMENT_SIGNS = {"#": "hash", ";": "semicolon"}

#: the directory of the code; each room has its templates, which are named by their paths below this directory
PACKAGE = Path(__file__).resolve().parent.parent

#: stands for a secret in a text that is shown; plain letters, which are not quoted in an address
HIDDEN = "SECRET"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 (configuration files, not HTML)
        loader=jinja2.FileSystemLoader(PACKAGE),
        undefined=jinja2.StrictUndefined,
        finalize=_no_secret,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        {"ini": ini, "digest": digest, "true": lambda answer: "true" if answer == "yes" else "false"}
    )
    return environment


def _no_secret(value: object) -> object:
    """Return what a template writes. Raises TypeError for a secret without .reveal(), which would be masked."""
    if isinstance(value, Secret):
        raise TypeError("A template writes a secret without .reveal().")
    return value


def ini(text: str) -> str:
    """Return a text as the value of an option in CKAN's INI file: further lines are indented, none begins a comment.

    CKAN puts the sign in for `%(hash)s` when it reads the file (Python's configparser, "Interpolation of values").
    """
    escaped = text.strip().replace("%", "%%")
    for sign, name in COMMENT_SIGNS.items():
        escaped = re.sub(rf"^[ \t]*{sign}", f"%({name})s", escaped, flags=re.MULTILINE)
    return escaped.replace("\n", "\n    ")


def digest(text: str) -> str:
    """Return the first digits of the hash of a text: enough to see that it has changed."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def render(template: str, values: Mapping[str, object], host: Host, *, hidden: bool = False) -> str:
    """Return the text of a template; in it `secret("NAME")` reads a secret of the machine, `file("PATH")` a file.

    `hidden`: a word stands for each secret, so that the text may be shown. Raises DcorError for a missing secret or
    file.
    """

    def secret(name: str) -> Secret:
        return Secret(HIDDEN) if hidden else secrets.read(host, name)

    def file(path: str) -> str:
        text = host.read(path)
        if text is None:
            raise DcorError(f"{path}, which the settings name, is missing.", hint="dcor-server get shows the settings.")
        return text

    return _environment().get_template(template).render(values, secret=secret, file=file)
