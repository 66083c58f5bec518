"""The id of the release that a machine should run: a hash of everything that a release is made of.

So "is the active release the desired one" compares two words. The hash covers python-ckan's version, the release set,
Python's version, the changes that the cures of known issues make, the code that makes a release, dcor-server's own
files in it, and the paths of checkouts. It does not cover comments and docstrings: editing these makes no server a new
release.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from dcor_pkg.ckan import programs, release, release_build
from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.kernel import templates
from dcor_pkg.machine.facts import Facts

#: the modules whose code decides what a release contains
BUILDERS = (
    *("ckan/release_build.py", "ckan/release_contents.py", "ckan/pth_files.py"),
    *("ckan/checkouts.py", "ckan/release_checkouts.py"),
    *("ckan/known_issues/issue.py", "ckan/known_issues/registry.py"),
)
#: what may have a docstring
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
#: digits of the hash
DIGITS = 10


def wanted(facts: Facts, checkouts: tuple[str, ...] = ()) -> str:
    """Return the id of the release that this machine should run: of what there is, unless that is held back."""
    made = of(facts, checkouts)
    return facts.instead if made == facts.held else made


def of(facts: Facts, checkouts: tuple[str, ...] = ()) -> str:
    """Return the id of the release that would be made of what there is, with checkouts at these paths."""
    parts = (
        *(facts.ckan, facts.release_set, facts.python),
        *(release.DIRECTORY, release.SCHEMA, release.LICENCES),
        *registry.changes(),
        *checkouts,
        *(code_only((templates.PACKAGE / name).read_text()) for name in BUILDERS),
        *(part for file in release_build.runtime_files() for part in (file.name, _content(file))),
        without_comments(release_build.GUARD.read_text(), "#"),
        *(code_only(file.read_text()) for file in (release_build.TERMINAL, release_build.PIP_REFUSED)),
        # How programs are started counts as well: a change of it needs the same switch without a gap.
        without_comments((templates.PACKAGE / programs.TEMPLATE).read_text(), ";"),
    )
    return f"{facts.ckan.split('-')[0]}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:DIGITS]}"


@cache  # a plan asks for the id several times, and the trees of all modules take longer than the rest of a plan
def code_only(source: str) -> str:
    """Return what Python makes of a module's text: its syntax tree without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


def without_comments(text: str, sign: str) -> str:
    """Return a text without empty lines and comment lines, which begin with `sign`; a script's #! stays."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(line for line in lines if line.startswith("#!") or not line.lstrip().startswith(sign))


def _content(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return code_only(text) if file.suffix == ".py" else text
