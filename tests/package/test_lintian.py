"""Lintian, in the version of the packages' suite, finds no error."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import cache, packages, roots

INSIDE = "/packages"


@pytest.mark.parametrize("package", [package.name for package in packages.ALL])
def test_lintian_finds_no_error(suite: str, debs: list[Path], package: str) -> None:
    """What it has found in a package is in the cache until the package, the options or lintian's Debian change."""
    (deb,) = (deb for deb in debs if deb.name.startswith(f"{package}_"))
    root = roots.build_root(suite)
    argv = ("lintian", "--allow-root", "--fail-on=error", "--tag-display-limit=0", f"{INSIDE}/{deb.name}")

    def look(found: Path) -> None:
        done = roots.chroot_run(root, *argv, read_only={deb: f"{INSIDE}/{deb.name}"}, check=False)
        assert done.returncode == 0, done.stdout
        (found / "tags").write_text(done.stdout)

    cache.directory("lintian", f"{package}-{cache.key(root.name, deb, *argv)}", look)


def test_lintian_finds_errors_without_the_overrides(suite: str, debs: list[Path]) -> None:
    """This shows that the test above can fail."""
    (wheels,) = (deb for deb in debs if deb.name.startswith("dcor-wheels_"))
    argv = ("lintian", "--allow-root", "--fail-on=error", "--no-override", f"{INSIDE}/a.deb")
    done = roots.chroot_run(roots.build_root(suite), *argv, read_only={wheels: f"{INSIDE}/a.deb"}, check=False)
    assert done.returncode == 2, done.stdout
    assert "malformed-deb-archive" in done.stdout
