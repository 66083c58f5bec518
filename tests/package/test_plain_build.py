"""`dpkg-buildpackage -b` in a plain checkout builds the same dcor-server as scripts/build."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from dcor_dev import checkout as checkout_files
from dcor_dev import packages, roots
from deb import Deb

TREE = Path(__file__).resolve().parents[2]

#: The directory in the root where the copy of the checkout is mounted; another one than in scripts/build.
INSIDE = "/srv/checkout"


@dataclass(frozen=True)
class Checkout:
    """A copy of this checkout, to build in the oldest Debian, since dcor-server is the same file for all of them."""

    tree: Path

    def run(self, *argv: str, profile: str = "") -> str:
        """Run a program in the copy, with an environment that has only the build profile, if there is one."""
        return roots.chroot_run(
            roots.build_root(roots.SUITES[0]),
            *argv,
            writable={self.tree.parent: str(Path(INSIDE).parent)},
            env={"DEB_BUILD_PROFILES": f"pkg.dcor-server.{profile}"} if profile else {},
            directory=INSIDE,
        ).stdout

    def names(self) -> set[str]:
        """Return the files of the copy."""
        return {str(path.relative_to(self.tree)) for path in self.tree.rglob("*") if path.is_file()}

    def key(self) -> str:
        """Return the key of dcor-server in scripts/build when it is built from this copy."""
        (ours,) = (package for package in packages.ALL if package.name == "dcor-server")
        return packages.Builder(self.tree, roots.SUITES[0], {}, print).key(ours)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return a copy of this checkout without built files, but with what Git leaves of a module that was removed."""
    tree = tmp_path_factory.mktemp("plain") / Path(INSIDE).name
    checkout_files.copy(TREE, tree)
    bytecode = tree / "dcor_pkg/removed/__pycache__"
    bytecode.mkdir(parents=True)
    (bytecode / "module.cpython-311.pyc").touch()
    return Checkout(tree)


def test_a_plain_build_makes_the_same_package_and_leaves_only_ignored_files(
    checkout: Checkout, content: dict[str, Deb]
) -> None:
    names, key = checkout.names(), checkout.key()
    checkout.run("dpkg-buildpackage", "-b")
    (built,) = checkout.tree.parent.glob("*.deb")
    assert built.name == content["dcor-server"].path.name
    assert built.read_bytes() == content["dcor-server"].path.read_bytes()
    left = sorted(checkout.names() - names)
    assert "debian/dcor-server.substvars" in left
    assert ignored(left) == left
    assert checkout.key() == key


@pytest.mark.parametrize("profile", ["", *(package.profile for package in packages.ALL)])
def test_each_build_profile_selects_its_package_and_none_selects_dcor_server(checkout: Checkout, profile: str) -> None:
    wanted = [package.name for package in packages.ALL if package.profile == (profile or "server")]
    assert checkout.run("dh_listpackages", profile=profile).split() == wanted


def ignored(names: list[str]) -> list[str]:
    """Return those of these files that git ignores."""
    argv = ["git", "-c", f"safe.directory={TREE}", "check-ignore", "--stdin"]
    done = subprocess.run(argv, cwd=TREE, input="\n".join(names), capture_output=True, text=True, check=False)
    return done.stdout.splitlines()
