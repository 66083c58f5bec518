"""The entries of what each release is cured of: the issues of `ckan/known_issues`, with their texts in German."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.ckan.known_issues.issue import Issue
from dcor_pkg.known_issues.entry import WITH_UPSTREAM, Entry, Place, Sign, Text
from dcor_pkg.known_issues.in_releases_german import GERMAN

CURE = Text(
    "The file is corrected in each release, when it is made; one that is not as expected is left alone and reported.",
    "Die Datei wird in jedem Release berichtigt, wenn es gebaut wird; eine unerwartete bleibt, wie sie ist, und wird "
    "gemeldet.",
)


def entries() -> tuple[Entry, ...]:
    """Return an entry for each of them."""
    return tuple(map(_entry, registry.ISSUES))


def _entry(issue: Issue) -> Entry:
    german = GERMAN[issue.name]
    return Entry(
        name=issue.name,
        symptom=issue.symptom,
        package=issue.versions.package,
        since=issue.versions.since,
        until=issue.versions.until,
        cause=Text(issue.cause, german.cause),
        cost=Text(issue.cost, german.cost),
        found=Text(issue.detection, german.found),
        cure=CURE,
        undone=WITH_UPSTREAM,
        place=Place.RELEASE,
        where=issue.cure.file,
        test=issue.proof.partition(":")[0],
        signs=(Sign("release", f"has the known issue {issue.name}"),),
    )
