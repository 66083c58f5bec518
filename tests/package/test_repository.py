"""Apt accepts the repository, and rejects it after any change; signing uses the right key."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
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


def test_unchanged_packages_are_not_published_again(suite: str, debs: list[Path], tmp_path: Path) -> None:
    (small,) = (deb for deb in debs if deb.name.startswith("dcor-archive-keyring_"))
    deb = Path(shutil.copy(small, tmp_path))
    with signing.signer(None) as signer:
        assert repository.publish([deb], tmp_path / "apt", suite, signer)
        before = (tmp_path / "apt/dists" / suite / "InRelease").read_bytes()
        assert not repository.publish([deb], tmp_path / "apt", suite, signer)
        assert repository.publish([], tmp_path / "apt", suite, signer)
    assert (tmp_path / "apt/dists" / suite / "InRelease").read_bytes() != before


def test_a_release_key_signs_the_repository(suite: str, debs: list[Path], tmp_path: Path) -> None:
    home, exported = tmp_path / "home", tmp_path / "release.key"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-generate-key", "a release", "ed25519", "sign", "never"], check=True)
    subprocess.run([*gpg, "--output", str(exported), "--export-secret-keys"], check=True)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
    (small,) = (deb for deb in debs if deb.name.startswith("dcor-archive-keyring_"))
    with signing.signer(exported) as signer:
        repository.publish([Path(shutil.copy(small, tmp_path))], tmp_path / "apt", suite, signer)
        assert signer.home != home
    assert not signer.home.exists()
    verify = [
        "gpgv",
        "--keyring",
        str(tmp_path / "apt/dcor-archive-keyring.gpg"),
        str(tmp_path / "apt/dists" / suite / "InRelease"),
    ]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0


def test_a_key_without_its_private_part_is_an_error(tmp_path: Path) -> None:
    with signing.signer(None) as test_key:
        (tmp_path / "public").write_bytes(test_key.public_key())
    with pytest.raises(DevError, match="no private key"), signing.signer(tmp_path / "public"):
        pass


def test_the_private_key_is_not_in_dist(suite: str, debs: list[Path]) -> None:
    words = (b"PRIVATE KEY", b"private-keys-v1.d", b"(private-key", b"(21:protected-private-key")
    small = [path for path in (TREE / "dist" / suite).rglob("*") if path.is_file() and path.suffix != ".deb"]
    assert small
    assert [path for path in small if any(word in path.read_bytes() for word in words)] == []
