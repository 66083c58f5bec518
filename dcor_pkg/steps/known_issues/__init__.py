"""Faults of upstream's code that a release is cured of: one file for each.

A cure looks for its fault first: where that is gone, nothing is changed. It is made in each new release,
so an upgrade neither loses nor keeps it by accident.
"""

from __future__ import annotations

import hashlib
import inspect
from types import ModuleType
from typing import Protocol

from dcor_pkg.host import Host
from dcor_pkg.steps.known_issues import float_expiry, own_certificate, percent_in_database_url


class KnownIssue(Protocol):
    """A fault of a release, and how to cure it."""

    FILES: tuple[str, ...]

    @staticmethod
    def has(host: Host, site: str) -> bool:
        """Tell whether the release with these site-packages has the fault."""

    @staticmethod
    def cure(host: Host, site: str) -> None:
        """Cure it."""


ISSUES: tuple[ModuleType, ...] = (float_expiry, own_certificate, percent_in_database_url)


def cure(host: Host, site: str) -> None:
    """Cure a release that is being made of all that it has."""
    for issue in ISSUES:
        if issue.has(host, site):
            issue.cure(host, site)


def left(host: Host, site: str) -> list[str]:
    """Return the names of the faults that a release still has."""
    return [issue.__name__.rsplit(".", 1)[-1] for issue in ISSUES if issue.has(host, site)]


def cured_files(site: str) -> list[str]:
    """Return the Python files that cures may have changed, so that their bytecode is made anew."""
    return [f"{site}/{file}" for issue in ISSUES for file in issue.FILES]


def fingerprints() -> list[str]:
    """Return what changes when a cure changes: such a release is another one."""
    return [hashlib.sha256(inspect.getsource(issue).encode()).hexdigest() for issue in ISSUES]
