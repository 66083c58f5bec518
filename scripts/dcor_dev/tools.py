"""The programs that the scripts need: installed on this computer when they are missing, and run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dcor_dev.errors import DevError

#: Which Debian package brings a program.
PACKAGES = {
    "apt-ftparchive": "apt-utils",
    "dpkg-deb": "dpkg",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "ip": "iproute2",
    "lintian": "lintian",
    "mmdebstrap": "mmdebstrap",
    "mvn": "maven",
    "nsenter": "util-linux",
    "shellcheck": "shellcheck",
    "systemd-nspawn": "systemd-container",
}


def need(*programs: str) -> None:
    """Make sure that these programs are here; apt is asked only when one is not."""
    missing = sorted({PACKAGES[program] for program in programs if not shutil.which(program, path=_path())})
    if missing:
        install(*missing)


def need_python(module: str, package: str) -> None:
    """Make sure that Debian's own Python has a module."""
    found = subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], capture_output=True, check=False)
    if found.returncode:
        install(package)


def install(*packages: str) -> None:
    """Install Debian packages here, without questions; the package lists may be missing on a fresh machine."""
    need_root()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        run(f"{' '.join(packages)} cannot be installed here", "apt-get", "-qq", *argv, env=environment)


def run(failure: str, *argv: str, directory: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program that asks nothing and return its output. Raises DevError: `failure`, and its own last words."""
    done = subprocess.run(
        argv, cwd=directory, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise DevError(f"{failure}:\n{(done.stdout[-4000:] + done.stderr[-4000:]).strip()}")
    return done.stdout


def need_root() -> None:
    """Refuse to go on as an ordinary user: machines, roots and apt need root."""
    if os.geteuid() != 0:
        raise DevError("This needs root: run it with sudo.")


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
