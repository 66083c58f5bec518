"""Upstream's modules with the faults of all known issues, by their paths below site-packages."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.ckan.known_issues.issue import Cure, ReplaceText, ReplaceTexts


def replacements(cure: Cure) -> tuple[ReplaceText, ...]:
    """Return the texts that a cure replaces."""
    if isinstance(cure, ReplaceTexts):
        return cure.texts
    return (cure,) if isinstance(cure, ReplaceText) else ()


FAULTY: dict[str, str] = {}
for _text in (text for issue in registry.ISSUES for text in replacements(issue.cure)):
    FAULTY[_text.file] = FAULTY.get(_text.file, "") + _text.faulty + "\n"
#: those that python-ckan brings, and those of wheels
OF_CKAN = {file: text for file, text in FAULTY.items() if file.startswith("ckan/")}
OF_WHEELS = {file: text for file, text in FAULTY.items() if file not in OF_CKAN}
