"""Files of the admin that settings name: validated as CKAN will read them, before anything is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dcor_pkg.answers.settings import PAGES, ROWS, InvalidAnswer, as_answers
from dcor_pkg.ckan import unit
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER as USER
from dcor_pkg.machine.paths import CONFIGURATION
from dcor_pkg.machine.trusted_path import UntrustedPath

READ_SECONDS = 20.0


def check(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer for the first setting whose file CKAN could not use."""
    for key, validator in VALIDATORS.items():
        path = as_answers(proposal.wanted)[key]
        if path == ROWS[key].default:
            continue
        try:
            reason = _hidden(key, path) or validator(host, path)
        except CommandFailed as error:
            reason = f"{USER} cannot read it ({error.hint or error.reason})"
        except UntrustedPath as error:
            raise InvalidAnswer(f"dcor-server/{key}", path, error.reason, error.hint) from None
        if reason is not None:
            raise InvalidAnswer(f"dcor-server/{key}", path, reason, ROWS[key].hint)


def _read(host: Host, path: str) -> str:
    """Return the text of a file that both root and CKAN's user can read. Raises CommandFailed and DcorError."""
    host.read(path)
    return host.run("cat", path, user=USER, timeout=READ_SECONDS)


def _hidden(key: str, path: str) -> str | None:
    """Return why CKAN's unit does not see a file that its user could read, or None."""
    place = next((place for place in unit.HIDDEN if Path(place) in Path(path).parents), None)
    if key not in READ_BY_CKAN or place is None:
        return None
    return f"CKAN, which is confined, does not see {place}; a good place is {CONFIGURATION}"


def _text(host: Host, path: str) -> str | None:
    return None if _read(host, path).strip() else "is empty"


def _licences(host: Host, path: str) -> str | None:
    """Return what is wrong with a file for CKAN's option `licenses_group_url` (CKAN's Configuration Reference)."""
    found = _json(_read(host, path))
    valid = isinstance(found, list) and all(isinstance(one, dict) and {"id", "title"} <= set(one) for one in found)
    return None if valid and found else 'is not a JSON list of licences, each with an "id" and a "title"'


def _supplements(host: Host, directory: str) -> str | None:
    """Return what is wrong with a directory of resource supplements.

    ckanext-dcor_schemas reads all files NAME_KEY.json in it, and requires a key, a name and items of each.
    """
    names = [name for name in host.run("ls", directory, user=USER).split("\n") if name.endswith(".json")]
    problems = (problem for name in names if (problem := _supplement(host, directory, name)) is not None)
    return next(problems, None if names else "does not contain a file *.json")


def _supplement(host: Host, directory: str, name: str) -> str | None:
    found = _json(_read(host, f"{directory}/{name}"))
    if not isinstance(found, dict) or not {"key", "name", "items"} <= set(found):
        return f'{name} is not a JSON object with "key", "name" and "items"'
    if name.partition("_")[2] != f"{found['key']}.json":
        return f"{name} has the key {found['key']!r}, so its name has to end in _{found['key']}.json"
    return None


def _json(text: str) -> Any:
    """Return what a JSON text holds; None for any other text, which no validator accepts."""
    try:
        return json.loads(text)
    except ValueError:
        return None


#: settings whose files CKAN itself reads; those of the others are read when ckan.ini is written
READ_BY_CKAN = ("licences", "resource-supplements")
#: by setting, what returns the problem of its file or directory, or None; raises CommandFailed if CKAN cannot read it
VALIDATORS: dict[str, Callable[[Host, str], str | None]] = {
    **dict.fromkeys(("about", *PAGES), _text),
    "licences": _licences,
    "resource-supplements": _supplements,
}
