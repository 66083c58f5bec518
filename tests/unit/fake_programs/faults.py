"""Upstream's modules with the faults of all known issues, by their paths below site-packages."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.ckan.known_issues.issue import ReplaceText

FAULTY: dict[str, str] = {}
for _cure in (issue.cure for issue in registry.ISSUES):
    if isinstance(_cure, ReplaceText):
        FAULTY[_cure.file] = FAULTY.get(_cure.file, "") + _cure.faulty
#: those that python-ckan brings, and those of wheels
OF_CKAN = {file: text for file, text in FAULTY.items() if file.startswith("ckan/")}
OF_WHEELS = {file: text for file, text in FAULTY.items() if file not in OF_CKAN}
