"""The id of a release: a change of what a release contains makes another one, a change of prose does not.

Each case edits one file of a copy of the package, and computes the id with a fresh Python.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dcor_pkg.ckan import release_id
from dcor_pkg.kernel import templates
from dcor_pkg.machine.facts import Facts

FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
PRINT_ID = f"""
from dcor_pkg.ckan import release_id
from dcor_pkg.machine.facts import Facts
print(release_id.wanted({FACTS!r}))
"""
BUILD, ISSUE = "ckan/release_build.py", "ckan/known_issues/float_expiry.py"
#: file, text, and what takes its place
PROSE = (
    (BUILD, "\ndef make(", "\n# a comment\n\ndef make("),
    (BUILD, '"""Make the release with this id,', '"""Make the release that has this id,'),
    (BUILD, '"""Make a release: ', '"""Build a release: '),
    (ISSUE, "\nISSUE", "\n# a comment\nISSUE"),
    (ISSUE, 'cost="No private', 'cost="Not one private'),
    ("ckan/known_issues/issue.py", '"""Finds one fault', '"""Looks for one fault'),
    ("ckan/known_issues/registry.py", '"""All known issues', '"""Every known issue'),
    ("runtime/__init__.py", '"""The modules', '"""All modules'),
    ("runtime/workers.py", "\ndef main", "\n# a comment\n\ndef main"),
    ("ckan/files/as-ckan", "set -eu\n", "    # a comment\n\nset -eu\n"),
    ("ckan/files/pip_refused.py", '"""Refuse to', '"""Do not'),
    ("ckan/templates/programs.conf", "directory = /\n", "; a comment\ndirectory = /\n"),
    ("ckan/switch.py", "TIMEOUT_SECONDS = 120.0", "TIMEOUT_SECONDS = 240.0"),
)
CONTENT = (
    (BUILD, 'COMMANDS = ("ckan", "dcor")', 'COMMANDS = ("ckan",)'),
    (BUILD, "GUARD.read_text(), Access(0o755)", "GUARD.read_text(), Access(0o750)"),
    (BUILD, "    _unshare(host, unfinished)\n", ""),
    (BUILD, '"import dcor_runtime.startup\\n"', '"import dcor_runtime.theme\\n"'),
    (ISSUE, "int(time.time())", "round(time.time())"),
    ("ckan/known_issues/registry.py", "    float_expiry.ISSUE,\n", ""),
    ("ckan/known_issues/issue.py", ".replace(self.faulty, self.fixed)", ".replace(self.faulty, self.fixed, 1)"),
    ("ckan/release.py", 'LICENCES = "licenses.json"', 'LICENCES = "licences.json"'),
    ("runtime/parent.py", "PR_SET_PDEATHSIG = 1 ", "PR_SET_PDEATHSIG = 2 "),
    ("ckan/files/as-ckan", "HOME=/var/www", "HOME=/nonexistent"),
    ("ckan/files/as-ckan", "#!/bin/sh", "#!/bin/dash"),
    ("ckan/files/pip_refused.py", "never changes", "does not change"),
    ("ckan/templates/programs.conf", "stopwaitsecs = 60\n", "stopwaitsecs = 90\n"),
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a copy of the package."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(templates.PACKAGE, tmp_path / templates.PACKAGE.name, ignore=ignored))


def edited(package: Path, file: str, old: str, new: str) -> str:
    """Replace a text in a file of the package, and return the id of its release."""
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))
    command = [sys.executable, "-B", "-c", PRINT_ID]
    return subprocess.run(command, cwd=package.parent, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(("file", "old", "new"), PROSE)
def test_prose_and_code_that_makes_no_release_leave_the_id_alone(package: Path, file: str, old: str, new: str) -> None:
    assert edited(package, file, old, new) == release_id.wanted(FACTS)


@pytest.mark.parametrize(("file", "old", "new"), CONTENT)
def test_another_way_of_making_a_release_makes_another_one(package: Path, file: str, old: str, new: str) -> None:
    assert edited(package, file, old, new) != release_id.wanted(FACTS)


@pytest.mark.parametrize("file", ["templates/imprint.html", "i18n/de.po"])
def test_another_template_or_translation_makes_another_release(package: Path, file: str) -> None:
    assert edited(package, f"runtime/{file}", "{%" if file.endswith("html") else "Kreis", "x") != release_id.wanted(
        FACTS
    )


def test_another_module_of_the_runtime_makes_another_release(package: Path) -> None:
    (package / "runtime/more.py").write_text("")
    assert edited(package, "runtime/more.py", "", "") != release_id.wanted(FACTS)


@pytest.mark.parametrize(
    "other",
    [replace(FACTS, ckan="2.11.6-2~deb12u1"), replace(FACTS, release_set="1" * 64), replace(FACTS, python="3.11.3")],
    ids=["ckan", "release_set", "python"],
)
def test_other_parts_make_another_release(other: Facts) -> None:
    assert release_id.wanted(other) != release_id.wanted(FACTS)


def test_facts_that_no_release_depends_on_make_no_other_release() -> None:
    assert release_id.wanted(replace(FACTS, cores=64, memory=1, ipv6=False)) == release_id.wanted(FACTS)
    assert release_id.wanted(FACTS).startswith("2.11.6-")


def test_code_is_compared_without_its_docstrings() -> None:
    documented = (
        '"""A module."""\nclass A:\n    """A class."""\n    x = 1\n\ndef f():\n    """Do it."""\n    return "text"\n'
    )
    plain = 'class A:\n  x = 1  # a comment\ndef f():\n  return "text"\n'
    assert release_id.code_only(documented) == release_id.code_only(plain)
    assert release_id.code_only('def f():\n    x = 1\n    "text"\n') != release_id.code_only("def f():\n    x = 1\n")
