"""scripts/publish: what it takes, what it says, and what it rejects before anything changes."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from apt_client import package, secret_key
from dcor_dev import keyring, packages, signing

TREE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Checkout:
    """A checkout with what a build has left in it: small packages of the same names."""

    top: Path

    @property
    def apt(self) -> Path:
        return self.top / "apt"

    def build(self, version: str, suite: str = "bookworm", *keys: Path) -> None:
        """Leave a version of each package in dist, and no other."""
        dist = self.top / "dist" / suite
        shutil.rmtree(dist, ignore_errors=True)
        dist.mkdir(parents=True)
        (dist / ".lock").touch()
        with signing.signer(*keys) as signer:
            public = signer.public_key()
        for each in packages.ALL:
            content = public if each.name == keyring.PACKAGE else version.encode()
            package(self.top / f"built-{version}-{suite}", each.name, version, content).rename(
                dist / f"{each.name}_{version}_all.deb"
            )

    def run(self, *argv: str | Path) -> str:
        """Run scripts/publish, and return what it prints and its exit code."""
        command = [str(self.top / "scripts/publish"), str(self.apt), *map(str, argv)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"{done.stdout}{done.stderr}exit code {done.returncode}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    shutil.copytree(TREE / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return Checkout(tmp_path)


def test_a_build_is_published_once_and_signed_anew_on_request(checkout: Checkout) -> None:
    checkout.build("1")
    said = checkout.run()
    assert said.startswith("bookworm: published; apt accepts it until ")
    assert [line.split() for line in said.splitlines()[1:-1]] == [[name, "1"] for name in sorted(NAMES)]
    assert said.endswith("exit code 0\n")
    assert checkout.run().startswith("bookworm: unchanged; apt accepts it until ")
    before = (checkout.apt / "dists/bookworm").resolve()
    checkout.build("1", "trixie")
    assert checkout.run("--suite", "trixie").startswith("trixie: published; ")
    said = checkout.run("--refresh", "--days", "90")
    assert [line.split(";")[0] for line in said.splitlines() if ";" in line] == [
        "bookworm: signed anew",
        "trixie: signed anew",
    ]
    assert (checkout.apt / "dists/bookworm").resolve() != before


NAMES = [each.name for each in packages.ALL]


def test_versions_are_kept_as_long_as_asked(checkout: Checkout) -> None:
    for version in "12345":
        checkout.build(version)
        assert checkout.run("--keep", "4").endswith("exit code 0\n")
    said = checkout.run("--keep", "4")
    assert [line.split()[1] for line in said.splitlines() if "dcor-server" in line] == ["5", "4", "3", "2"]


def test_the_web_server_can_read_all_of_it(checkout: Checkout) -> None:
    checkout.build("1")
    subprocess.run(["sh", "-c", f"umask 077; {checkout.top}/scripts/publish {checkout.apt}"], check=True)
    found = [path for path in checkout.apt.rglob("*") if not path.is_symlink()]
    assert len(found) > 20
    assert [path for path in found if path.stat().st_mode & 0o044 != 0o044] == []
    assert [path for path in found if path.is_dir() and path.stat().st_mode & 0o011 != 0o011] == []


def test_an_incomplete_build_is_rejected(checkout: Checkout) -> None:
    checkout.build("1")
    (checkout.top / "dist/bookworm/dcor-wheels_1_all.deb").unlink()
    said = checkout.run()
    assert said.endswith(
        "dist/bookworm has no dcor-wheels: run sudo scripts/build --suite bookworm first.\nexit code 1\n"
    )
    assert not (checkout.apt / "dists").exists()


def test_a_refresh_of_nothing_is_rejected_and_makes_nothing(checkout: Checkout) -> None:
    assert "is not a repository: nothing was published there yet" in checkout.run("--refresh")
    assert not checkout.apt.exists()
    checkout.build("1")
    checkout.run()
    assert f"{checkout.apt} has no suite trixie" in checkout.run("--refresh", "--suite", "trixie")


def test_a_key_that_is_not_in_the_keyring_is_rejected(checkout: Checkout) -> None:
    """It was given to the build and not to this, or the other way round."""
    key = secret_key(checkout.top / "key")
    checkout.build("1", "bookworm", key)
    assert "which is published now, has none of the keys to sign with" in checkout.run()
    assert checkout.run("--key", key).endswith("exit code 0\n")


@pytest.mark.parametrize("argument", [("--keep", "2"), ("--keep", "x"), ("--days", "0"), ("--suite", "sid")])
def test_a_wrong_argument_is_rejected(checkout: Checkout, argument: tuple[str, str]) -> None:
    assert checkout.run(*argument).endswith("exit code 2\n")
    assert not checkout.apt.exists()


def test_the_help_has_examples(checkout: Checkout) -> None:
    assert "examples:\n  scripts/publish /srv/apt --key" in checkout.run("--help")
