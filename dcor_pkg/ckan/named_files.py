"""Files of the admin's that settings name: judged before CKAN has to live with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dcor_pkg.answers.settings import ROWS, InvalidAnswer, as_answers
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host

#: as whom CKAN reads them
USER = "www-data"


def check(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer for the first file that is named and cannot be used."""
    for key, validator in VALIDATORS.items():
        path = as_answers(proposal.wanted)[key]
        if path == ROWS[key].default:
            continue
        try:
            reason = validator(host, path)
        except CommandFailed as error:
            reason = f"{USER} cannot read it ({error.hint or error.reason})"
        if reason is not None:
            raise InvalidAnswer(f"dcor-server/{key}", path, reason, ROWS[key].hint)


def _text(host: Host, path: str) -> str | None:
    return None if host.run("cat", path, user=USER).strip() else "is empty"


def _licences(host: Host, path: str) -> str | None:
    """Validator licences in the format of CKAN's `licenses_group_url` (its Configuration Reference)."""
    found = _json(host.run("cat", path, user=USER))
    good = isinstance(found, list) and all(isinstance(one, dict) and {"id", "title"} <= set(one) for one in found)
    return None if good and found else 'is no JSON list of licences, each with an "id" and a "title"'


def _supplements(host: Host, directory: str) -> str | None:
    """Validator the files as ckanext-dcor_schemas reads them: NAME_KEY.json, with what it asks of each."""
    names = [name for name in host.run("ls", directory, user=USER).split("\n") if name.endswith(".json")]
    for name in names:
        found = _json(host.run("cat", f"{directory}/{name}", user=USER))
        good = isinstance(found, dict) and {"key", "name", "items"} <= set(found)
        if not good:
            return f'{name} is no JSON object with "key", "name" and "items"'
        if name.partition("_")[2] != f"{found['key']}.json":
            return f"{name} has the key {found['key']!r}, so its name has to end in _{found['key']}.json"
    return None if names else "there is no file *.json in it"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


VALIDATORS: dict[str, Callable[[Host, str], str | None]] = {
    "about": _text,
    "licences": _licences,
    "resource-supplements": _supplements,
}
