"""All known issues in one tuple, and which of them a name or a step that differs is about."""

from __future__ import annotations

import difflib

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.runner import Outcome
from dcor_pkg.known_issues import data, in_releases, programs, releases, search, site
from dcor_pkg.known_issues.entry import Entry

#: sorted by name, as the list, the table and the man page have them
ENTRIES: tuple[Entry, ...] = tuple(
    sorted(
        (
            *in_releases.entries(),
            *programs.ENTRIES,
            *releases.ENTRIES,
            *data.ENTRIES,
            *search.ENTRIES,
            *site.ENTRIES,
        ),
        key=lambda entry: entry.name,
    )
)
BY_NAME = {entry.name: entry for entry in ENTRIES}
#: how many names are proposed for one that is unknown
PROPOSALS = 3


def find(name: str) -> Entry:
    """Return the entry with this name, whichever way its words are joined. Raises DcorError with the nearest names."""
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    if wanted in BY_NAME:
        return BY_NAME[wanted]
    near = difflib.get_close_matches(wanted, BY_NAME, PROPOSALS, 0.0)
    raise DcorError(
        f"There is no known issue {ascii(name)[:80]}; the nearest names are {', '.join(near)}.",
        "All of them: dcor-server check --explain",
    )


def shown_by(outcome: Outcome) -> Entry | None:
    """Return the known issue that a step which differs or fails shows, or None."""
    if not outcome.reason:
        return None
    text = f"{outcome.reason} {outcome.hint}"
    return next((entry for entry in ENTRIES for sign in entry.signs if sign.is_in(outcome.step, text)), None)
