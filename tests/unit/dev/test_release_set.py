"""dcor-server depends on exactly what it was tested with, so apt upgrades all of it together, or nothing of it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dcor_dev import packages, versions

TREE = Path(__file__).resolve().parents[3]
CONTROL = (TREE / "debian/control").read_text(encoding="utf-8")
#: What a release is made of.
PARTS = ("dcor-wheels", "python-ckan")
#: The directories that apt needs.
DIRECTORIES = (
    *("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "repository"),
    *("var/lib/apt/lists/partial", "var/lib/dpkg/updates", "var/cache/apt/archives/partial", "var/log/apt"),
)
PARAGRAPH = """\
Package: {name}
Version: {version}
Architecture: all
{relations}Maintainer: Nobody <nobody@example.org>
{more}Description: a package

"""
PUBLISHED = f"Filename: ./none.deb\nSize: 1\nSHA256: {'0' * 64}\n"


def upstream_and_revision(package: str) -> tuple[str, int]:
    """Return the version of a package, without the suffix of a suite."""
    values = versions.section(TREE, package)
    return values["upstream"], int(values["revision"])


def range_of(package: str, more: int = 0) -> list[str]:
    """Return the relations that a version of a package satisfies, whatever the suite, and no other version does."""
    upstream, revision = upstream_and_revision(package)
    return [f"{package} (>= {upstream}-{revision + more}~)", f"{package} (<< {upstream}-{revision + more + 1}~)"]


def relations(package: str, field: str) -> list[str]:
    """Return a field of a package in debian/control, without substitutions."""
    found = re.search(rf"^{field}: ((?:.*\n)(?:[ \t].*\n)*)", packages.stanzas(CONTROL, package).split("\n\n")[1], re.M)
    every = [relation.strip() for relation in found[1].split(",")] if found else []
    return [relation for relation in every if not relation.startswith("${")]


@pytest.mark.parametrize("part", PARTS)
def test_dcor_server_depends_on_exactly_the_version_that_it_was_tested_with(part: str) -> None:
    named = [relation for relation in relations("dcor-server", "Depends") if relation.split()[0] == part]
    assert named == range_of(part), "enter the versions of conf/packages.ini into debian/control"


def paragraph(name: str, more: int, state: str) -> str:
    """Return what dpkg or a repository says of a package of ours, whose revision has increased by `more`.

    The next version of dcor-server names the next versions of the others where this one names its own.
    """
    follows = {before: after for part in PARTS for before, after in zip(range_of(part), range_of(part, more))}
    own = {
        field: [follows.get(relation, relation) for relation in relations(name, field) if relation.split()[0] in PARTS]
        for field in ("Depends", "Breaks")
    }
    upstream, revision = ("1", 0) if name == "dcor-server" else upstream_and_revision(name)
    version = f"{upstream}-{revision + more}~deb12u1"
    lines = "".join(f"{field}: {', '.join(named)}\n" for field, named in own.items() if named)
    return PARAGRAPH.format(name=name, version=version, relations=lines, more=state)


def other(version: str, state: str) -> str:
    """Return a paragraph of a package that has nothing to do with ours."""
    return PARAGRAPH.format(name="other", version=version, relations="", more=state)


class Apt:
    """The real apt, over a directory in which our packages are installed, and their next versions are published."""

    def __init__(self, root: Path, held: str) -> None:
        self.root = root
        for directory in DIRECTORIES:
            (root / directory).mkdir(parents=True)
        names = ("dcor-server", *PARTS)
        states = {name: f"Status: {'hold' if name == held else 'install'} ok installed\n" for name in (*names, "other")}
        installed = [*(paragraph(name, 0, states[name]) for name in names), other("1", states["other"])]
        (root / "var/lib/dpkg/status").write_text("".join(installed))
        published = [*(paragraph(name, 1, PUBLISHED) for name in names), other("2", PUBLISHED)]
        (root / "repository/Packages").write_text("".join(published))
        (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{root}/repository ./\n")
        self.run("update")

    def run(self, *arguments: str) -> str:
        """Run apt-get in this directory."""
        options = {"Dir": self.root, "Dir::State::status": self.root / "var/lib/dpkg/status", "APT::Sandbox::User": ""}
        named = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return subprocess.run(
            ["apt-get", *named, "-o", "Acquire::AllowInsecureRepositories=true", *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def upgraded(self, *arguments: str) -> set[str]:
        """Return the packages that a command upgrades. None is removed."""
        output = self.run("--simulate", *arguments)
        assert "\nRemv " not in output
        return set(re.findall(r"^Inst (\S+)", output, re.MULTILINE))


@pytest.mark.parametrize("name", ["dcor-server", *PARTS])
def test_who_upgrades_one_of_them_upgrades_all(tmp_path: Path, name: str) -> None:
    """Unattended-upgrades asks apt for one package after the other."""
    assert Apt(tmp_path, held="").upgraded("install", "--only-upgrade", name) == {"dcor-server", *PARTS}


@pytest.mark.parametrize("held", ["dcor-server", *PARTS])
def test_one_that_is_held_holds_all_and_nothing_else(tmp_path: Path, held: str) -> None:
    assert Apt(tmp_path, held).upgraded("upgrade") == {"other"}
