"""The computer that autopkgtest runs on, as a machine that the assertions of tests/system can look at."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path += [str(TREE / "scripts"), str(TREE / "tests/system")]

from dcor_dev import nspawn
from dcor_dev.machine import Machine

#: Debconf asks nothing.
QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


class Computer(Machine):
    """This computer: programs run where they are, and nothing boots or ends."""

    def __init__(self) -> None:
        get = ("dcor-server", "get", "hostname")
        name = subprocess.run(get, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        super().__init__("computer", (), hostname=name)

    def enter(self, user: str, env: Mapping[str, str]) -> list[str]:
        """Return what runs a program as that user, with an environment of its own."""
        argv = ["env", "-i", *(f"{name}={value}" for name, value in nspawn.INSIDE.items())]
        return [*argv, "runuser", "-u", user, "--", "env", *(f"{name}={value}" for name, value in env.items())]

    def path(self, path: str) -> Path:
        """Return a file of this computer."""
        return Path(path)
