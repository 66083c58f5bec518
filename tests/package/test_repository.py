"""Apt accepts the repository, and rejects it after any change; signing uses the right key."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from apt_client import package, secret_key
from dcor_dev import repository, roots, signing
from dcor_dev.errors import DevError

TREE = Path(__file__).resolve().parents[2]

#: Updates the package lists from the repository as the only source.
UPDATE = """
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo "deb [signed-by=/srv/apt/dcor-archive-keyring.gpg] file:/srv/apt $1 main" >/etc/apt/sources.list.d/dcor.list
apt-get -o APT::Update::Error-Mode=any update && apt-cache policy dcor-server python-ckan
"""


@pytest.fixture
def copy(suite: str, debs: list[Path], tmp_path: Path) -> Path:
    """Return a copy of the repository that a test may damage."""
    return Path(shutil.copytree(TREE / "dist" / suite / "apt", tmp_path / "apt"))


def update(suite: str, apt: Path) -> subprocess.CompletedProcess[str]:
    argv = ("sh", "-c", UPDATE, "sh", suite)
    return roots.chroot_run(roots.base(suite), *argv, read_only={apt: "/srv/apt"}, env={"LC_ALL": "C"}, check=False)


def test_apt_verifies_the_repository_and_finds_the_packages(suite: str, copy: Path) -> None:
    done = update(suite, copy)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Candidate: ") == 2
    assert "(none)" not in [line.split("Candidate: ")[1] for line in done.stdout.splitlines() if "Candidate: " in line]


def test_apt_accepts_two_signatures_of_which_it_knows_one(suite: str, tmp_path: Path) -> None:
    """While a key follows another, each machine knows at least one; trixie's apt asks sqv, not gpgv."""
    keys = [secret_key(tmp_path / name) for name in ("former", "next")]
    packages = [package(tmp_path / name, name, "1") for name in ("dcor-server", "python-ckan")]
    fill(tmp_path / "apt", suite, *packages, keys=(keys[0], keys[1]))
    for key in keys:
        with signing.signer(key) as signer:
            (tmp_path / "apt" / repository.PUBLIC_KEYS).write_bytes(signer.public_key())
        done = update(suite, tmp_path / "apt")
        assert done.returncode == 0, done.stdout
        assert done.stdout.count("Candidate: 1\n") == 2
    with signing.signer() as other:
        (tmp_path / "apt" / repository.PUBLIC_KEYS).write_bytes(other.public_key())
    assert update(suite, tmp_path / "apt").returncode != 0


def test_apt_rejects_a_modified_index(suite: str, copy: Path) -> None:
    for path in (copy / "dists" / suite / "main").rglob("*"):
        if path.is_file() and path.name not in ("InRelease", "Release"):
            path.write_bytes(path.read_bytes() + b"\n")
    done = update(suite, copy)
    assert done.returncode != 0, done.stdout


def test_apt_rejects_a_modified_release_file(suite: str, copy: Path) -> None:
    for name in ("InRelease", "Release"):
        path = copy / "dists" / suite / name
        path.write_text(path.read_text().replace("Origin: DCOR", "Origin: Evil"))
    done = update(suite, copy)
    assert done.returncode != 0, done.stdout


def fill(top: Path, suite: str, *debs: Path, keys: tuple[Path, ...] = ()) -> bool:
    """Make the repository of a build of these packages; return whether it has changed."""
    with signing.signer(*keys) as signer, repository.locked(top, signer, repository.BUILT) as apt:
        return apt.fill(suite, debs)


@pytest.fixture
def keyring(debs: list[Path], tmp_path: Path) -> Path:
    """Return the smallest of our packages."""
    (small,) = (deb for deb in debs if deb.name.startswith("dcor-archive-keyring_"))
    return Path(shutil.copy(small, tmp_path))


def test_unchanged_packages_are_not_published_again(suite: str, keyring: Path, tmp_path: Path) -> None:
    release = tmp_path / "apt/dists" / suite / "InRelease"
    assert fill(tmp_path / "apt", suite, keyring)
    before = release.read_bytes()
    assert not fill(tmp_path / "apt", suite, keyring)
    assert release.read_bytes() == before
    assert fill(tmp_path / "apt", suite)
    assert release.read_bytes() != before


def test_a_build_is_the_whole_repository_and_can_be_a_medium_for_ever(suite: str, tmp_path: Path) -> None:
    """Of a version that is built anew only the last build is there: whoever builds does so many times."""
    for content in (b"one", b"two"):
        assert fill(tmp_path / "apt", suite, package(tmp_path / content.decode(), "dcor-server", "2", content))
    assert fill(tmp_path / "apt", suite, package(tmp_path / "three", "dcor-server", "1"))
    assert [path.name for path in tmp_path.glob("apt/pool/**/*.deb")] == ["dcor-server_1_all.deb"]
    assert [path for path in tmp_path.glob("apt/**/*") if path.is_symlink()] == []
    assert sorted(path.name for path in (tmp_path / "apt").iterdir()) == sorted(
        [".lock", repository.PUBLIC_KEYS, "dists", "pool"]
    )
    assert "Valid-Until" not in (tmp_path / "apt/dists" / suite / "Release").read_text()


def test_a_release_key_signs_the_repository(suite: str, keyring: Path, tmp_path: Path) -> None:
    fill(tmp_path / "apt", suite, keyring, keys=(secret_key(tmp_path / "home"),))
    top = tmp_path / "apt/dists" / suite
    for files in ([top / "InRelease"], [top / "Release.gpg", top / "Release"]):
        verify = ["gpgv", "--keyring", str(tmp_path / "apt/dcor-archive-keyring.gpg"), *map(str, files)]
        assert subprocess.run(verify, capture_output=True, check=False).returncode == 0


def test_the_private_keys_are_removed_afterwards() -> None:
    with signing.signer() as signer:
        assert signer.home.exists()
    assert not signer.home.exists()


def test_a_key_without_its_private_part_is_an_error(tmp_path: Path) -> None:
    with signing.signer() as test_key:
        (tmp_path / "public").write_bytes(test_key.public_key())
    with pytest.raises(DevError, match="no private key"), signing.signer(tmp_path / "public"):
        pass


def test_the_private_key_is_not_in_dist(suite: str, debs: list[Path]) -> None:
    words = (b"PRIVATE KEY", b"private-keys-v1.d", b"(private-key", b"(21:protected-private-key")
    small = [path for path in (TREE / "dist" / suite).rglob("*") if path.is_file() and path.suffix != ".deb"]
    assert small
    assert [path for path in small if any(word in path.read_bytes() for word in words)] == []
