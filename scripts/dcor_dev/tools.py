"""Run the programs that the scripts need, and install the missing ones on this computer."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from dcor_dev import cache
from dcor_dev.errors import DevError

#: The Debian package of each program.
PACKAGES = {
    "apt-ftparchive": "apt-utils",
    "debconf-updatepo": "po-debconf",
    "dpkg-deb": "dpkg",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "ip": "iproute2",
    "lintian": "lintian",
    "mmdebstrap": "mmdebstrap",
    "msgfmt": "gettext",
    "msgmerge": "gettext",
    "mvn": "maven",
    "nsenter": "util-linux",
    "shellcheck": "shellcheck",
    "systemd-nspawn": "systemd-container",
}


def need(*programs: str) -> None:
    """Install those of these programs that are missing."""
    missing = sorted({PACKAGES[program] for program in programs if not shutil.which(program, path=_path())})
    if missing:
        install(*missing)


def need_python(module: str, package: str) -> None:
    """Install the package of a Python module if Debian's Python does not have it."""
    found = subprocess.run(["/usr/bin/python3", "-c", f"import {module}"], capture_output=True, check=False)
    if found.returncode:
        install(package)


def install(*packages: str) -> None:
    """Install Debian packages on this computer, without questions; first update the package lists."""
    need_root()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with cache.alone("apt"):  # apt does not wait for another apt, but fails
        for argv in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            run(f"Installing {' '.join(packages)} failed", "apt-get", "-qq", *argv, env=environment)


def run(failure: str, *argv: str, directory: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program without input and return its output. Raises DevError with `failure` and the end of its output."""
    done = subprocess.run(
        argv, cwd=directory, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise DevError(f"{failure}:\n{(done.stdout[-4000:] + done.stderr[-4000:]).strip()}")
    return done.stdout


def need_root() -> None:
    """Raise DevError unless root runs this: machines, roots and apt need root."""
    if os.geteuid() != 0:
        raise DevError("This needs root: run it with sudo.")


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
