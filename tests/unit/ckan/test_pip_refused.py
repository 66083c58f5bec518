"""A real pip shows what a release contains, and refuses to change it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pip
import pytest

from dcor_pkg.ckan import release_build


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the modules of an environment whose pip is guarded as that of a release."""
    shutil.copytree(Path(pip.__file__).parent, tmp_path / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    for name in release_build.PIP_COMMANDS:
        (tmp_path / name).write_text(release_build.PIP_REFUSED.read_text())
    return tmp_path


def run(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run that pip."""
    environment = {"PYTHONPATH": str(site), "PATH": os.environ["PATH"], "HOME": str(site)}
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("install", "urllib3==2.8.0"),
        ("install", "--upgrade", "pip"),
        ("install", "-e", "."),
        ("uninstall", "--yes", "pytest"),
    ],
)
def test_a_change_is_refused_in_one_sentence_with_ways_to_go(site: Path, arguments: tuple[str, ...]) -> None:
    done = run(site, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("pip: this is a release of dcor-server, which never changes.")
    assert "dcor-wheels" in line
    assert line.endswith("python3 -m venv DIRECTORY")


@pytest.mark.parametrize("arguments", [("list",), ("show", "pytest"), ("freeze",), ("help",), ("download", "--help")])
def test_what_is_installed_can_be_seen(site: Path, arguments: tuple[str, ...]) -> None:
    done = run(site, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
