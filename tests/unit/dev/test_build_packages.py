"""Each package has its own version and sources, and is not built again when others change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from dcor_dev import packages, roots, versions
from dcor_dev.errors import DevError
from dcor_dev.packages import Builder, Package

TREE = Path(__file__).resolve().parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the packages' sources."""
    for name in ("conf", "debian", "dcor_pkg"):
        shutil.copytree(TREE / name, tmp_path / "tree" / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "tree"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a root with the version of Debian 12, and use it as the build root; these tests build nothing."""
    place = tmp_path / "root"
    (place / "usr/lib").mkdir(parents=True)
    (place / "usr/lib/os-release").write_text('VERSION_CODENAME=bookworm\nVERSION_ID="12"\n')
    (place / "usr/bin").mkdir()
    (place / "usr/bin/python3").symlink_to("python3.11")
    monkeypatch.setattr(roots, "build_root", lambda suite: place)
    return place


def keys(tree: Path, key: bytes = b"key") -> dict[str, str]:
    builder = Builder(tree, "bookworm", {"public-key.gpg": key}, lambda text: None)
    return {package.name: builder.key(package) for package in packages.ALL}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name, key in before.items() if after[name] != key}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_version_has_upstreams_version_our_revision_and_the_suite(tree: Path, root: Path) -> None:
    (tree / "conf/packages.ini").write_text("[python-ckan]\nupstream = 2.11.6\nrevision = 7\ndate = today\n")
    assert versions.version(tree, "python-ckan", root) == "2.11.6-7~deb12u1"
    assert versions.changelog(tree, "python-ckan", root).startswith("dcor-server (2.")


def test_only_dcor_server_has_the_version_of_the_changelog(tree: Path, root: Path) -> None:
    before = keys(tree)
    edit(tree / "debian/changelog", "dcor-server (0.1.0)", "dcor-server (0.2.0)")
    assert versions.version(tree, "dcor-server", root) == "0.2.0"
    assert changed(before, keys(tree)) == {"dcor-server"}


@pytest.mark.parametrize(
    ("name", "old", "new", "rebuilt"),
    [
        ("debian/control", "real-time deformability", "REAL-TIME DEFORMABILITY", {"dcor-server"}),
        ("debian/control", "Apache Solr search engine as", "Apache Solr, as", {"dcor-solr"}),
        ("conf/lock/python3.11/dcor.txt", "dclab==", "dclab==9", {"dcor-wheels"}),
        ("conf/lock/python3.11/test.txt", "pytest==", "pytest==9", {"dcor-wheels-test"}),
        ("conf/lock/python3.11/suites.txt", "dcor_shared==", "dcor_shared==9", {"dcor-wheels-test"}),
        ("conf/lock/python3.11/ckan.txt", "ckan==", "ckan==9", {"python-ckan"}),
        ("conf/lock/python3.13/ckan.txt", "ckan==", "ckan==9", set()),
        ("debian/dcor-archive-keyring.functions", "usable", "fit", {"dcor-archive-keyring"}),
        ("debian/po/de.po", "Unbrauchbare", "Unpassende", {"dcor-archive-keyring", "dcor-server"}),
        ("conf/messages/de.po", "Der Kreis", "Ein Kreis", {"dcor-server"}),
        ("debian/stage/dcor-wheels", "set -eu", "set -e", {"dcor-wheels"}),
        ("debian/rules", "dh $@", "dh  $@", {package.name for package in packages.ALL}),
    ],
)
def test_a_change_rebuilds_only_the_packages_that_it_affects(
    tree: Path, root: Path, name: str, old: str, new: str, rebuilt: set[str]
) -> None:
    before = keys(tree)
    edit(tree / name, old, new)
    assert changed(before, keys(tree)) == rebuilt


def test_another_key_of_the_repository_rebuilds_only_the_keyring(tree: Path, root: Path) -> None:
    assert changed(keys(tree, b"one"), keys(tree, b"two")) == {"dcor-archive-keyring"}


def test_each_package_of_debian_control_is_built(tree: Path) -> None:
    control = (tree / "debian/control").read_text()
    named = {line.split()[1] for line in control.splitlines() if line.startswith("Package: ")}
    assert named == {package.name for package in packages.ALL}
    for package in packages.ALL:
        assert f"Build-Profiles: <pkg.dcor-server.{package.profile}>" in packages.stanzas(control, package.name)


def test_a_package_that_is_not_in_control_is_an_error(tree: Path) -> None:
    with pytest.raises(DevError, match="dcor-nothing"):
        packages.stanzas((tree / "debian/control").read_text(), Package("dcor-nothing", "nothing").name)
