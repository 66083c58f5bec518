"""Facts about this machine: read once in a run, and not changed by reading."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import Any

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine import memory, python_environment, state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import HELD_RELEASE, MIGRATION, PACKAGED_CKAN

REQUIREMENTS = "/usr/share/dcor-wheels/requirements.txt"


@dataclass(frozen=True)
class Facts:
    """What the plan depends on besides the settings."""

    #: the version of the package python-ckan
    ckan: str
    #: sha256 of the release set's lock file
    release_set: str
    #: the version of the Python that CKAN's environment is for, "3.11.2"
    python: str
    #: the version of nginx, (1, 22, 1)
    nginx: tuple[int, ...]
    ipv6: bool
    cores: int
    #: in MiB, of the container where this is one
    memory: int
    #: the release that is held back (ckan/held_release.py), and the one that serves in its place
    held: str = ""
    instead: str = ""
    #: the version of OpenSSL, (3, 0, 17)
    openssl: tuple[int, ...] = ()


def read(host: Host) -> Facts:
    """Return the facts of a machine. Raises DcorError where a needed package is missing."""
    lock = host.read(REQUIREMENTS)
    if lock is None:
        raise DcorError(f"{REQUIREMENTS} is missing.", hint="apt install --reinstall dcor-wheels")
    held = _held(host)
    return Facts(
        ckan=_version(host, "python-ckan"),
        release_set=hashlib.sha256(lock.encode()).hexdigest(),
        python=_python(host),
        nginx=_numbers(_version(host, "nginx")),
        ipv6=host.exists("/proc/net/if_inet6"),
        cores=(host.read("/proc/cpuinfo") or "").count("processor\t") or 1,
        memory=memory.total(host),
        held=held.get("release", ""),
        instead=held.get("instead", ""),
        openssl=_numbers(_version(host, "openssl")),
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of upstream's version: (1, 22, 1) for 1.22.1-9+deb12u4."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", version.split("-", maxsplit=1)[0]))


def _python(host: Host) -> str:
    program = python_environment.program(host, PACKAGED_CKAN)
    return host.run(program, "-I", "-c", "import platform; print(platform.python_version())").strip()


def _held(host: Host) -> dict[str, Any]:
    """Return which release is held back, and for which one; also by a way back that was cut off after its turn."""
    act: dict[str, Any] = state_file.read(host, MIGRATION, {})
    if act.get("turned") and act.get("should_run"):
        return {"release": act["should_run"], "instead": act["wanted"]["release"]}
    held: dict[str, Any] = state_file.read(host, HELD_RELEASE, {})
    return held if not held.get("until") or time.time() < held["until"] else {}


def _version(host: Host, package: str) -> str:
    try:
        return host.run("dpkg-query", "--show", "--showformat=${Version}", package)
    except CommandFailed:
        raise DcorError(f"The package {package} is not installed.", hint=f"apt install {package}") from None
