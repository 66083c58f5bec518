"""The faults of known issues, as the files of python-ckan and of the wheels contain them."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.ckan.known_issues.issue import Cure, ReplaceText, ReplaceTexts


def replacements(cure: Cure) -> tuple[ReplaceText, ...]:
    """Return the texts that a cure replaces."""
    if isinstance(cure, ReplaceTexts):
        return cure.texts
    return (cure,) if isinstance(cure, ReplaceText) else ()


#: the modules with faults, below site-packages
FILES: dict[str, str] = {}
for _text in (text for issue in registry.ISSUES for text in replacements(issue.cure)):
    FILES[_text.file] = FILES.get(_text.file, "") + _text.faulty + "\n"
