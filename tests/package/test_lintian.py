"""Lintian, in the version of the packages' suite, finds no error."""

from __future__ import annotations

from pathlib import Path

from dcor_dev import roots

INSIDE = "/packages"


def test_lintian_finds_no_error(suite: str, debs: list[Path]) -> None:
    done = roots.chroot_run(
        roots.build_root(suite),
        *(
            "lintian",
            "--allow-root",
            "--fail-on=error",
            "--tag-display-limit=0",
            *(f"{INSIDE}/{deb.name}" for deb in debs),
        ),
        read_only={deb: f"{INSIDE}/{deb.name}" for deb in debs},
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_lintian_finds_errors_without_the_overrides(suite: str, debs: list[Path]) -> None:
    """This shows that the test above can fail."""
    (wheels,) = (deb for deb in debs if deb.name.startswith("dcor-wheels_"))
    argv = ("lintian", "--allow-root", "--fail-on=error", "--no-override", f"{INSIDE}/a.deb")
    done = roots.chroot_run(roots.build_root(suite), *argv, read_only={wheels: f"{INSIDE}/a.deb"}, check=False)
    assert done.returncode == 2, done.stdout
    assert "malformed-deb-archive" in done.stdout
