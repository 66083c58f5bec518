"""What `check` says of a step besides its drift, the known issue that it shows, and its JSON (docs/check-json.md)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from dcor_pkg.kernel import last_converge, managed_file
from dcor_pkg.kernel.report import Notice
from dcor_pkg.kernel.runner import Outcome
from dcor_pkg.known_issues import catalogue
from dcor_pkg.machine.host import Host

#: the version of the JSON's form: another one where a key goes, or gets another meaning; a new key is no other form
SCHEMA = 1


def with_known_issue(outcome: Outcome) -> Outcome:
    """Return an outcome whose hint names the known issue that it shows."""
    entry = catalogue.shown_by(outcome)
    if entry is None:
        return outcome
    hint = f"Known issue {entry.name}; to read about it: dcor-server check --explain {entry.name}"
    return replace(outcome, hint="\n    ".join(filter(None, [outcome.hint, hint])))


def as_json(host: Host, outcomes: Sequence[Outcome], found: Sequence[Notice], *, right: bool) -> str:
    """Return all that `check` has found."""
    whole = {
        "schema": SCHEMA,
        "right": right,
        "steps": [_step(outcome) for outcome in outcomes],
        "notices": [asdict(notice) for notice in found],
        "changed_here": managed_file.changed_by_admin(host),
        "converge": asdict(last_converge.read(host)),
    }
    return json.dumps(whole, indent=1)


def _step(outcome: Outcome) -> dict[str, Any]:
    entry = catalogue.shown_by(outcome)
    issue = None if entry is None else entry.name
    return {**asdict(outcome), "result": outcome.result.value, "known_issue": issue}
