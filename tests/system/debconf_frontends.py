"""The answers on a real machine: each frontend of debconf, in each situation that apt brings it into.

| frontend       | first installation    | reconfiguration | upgrade       | removed and installed | after a purge  |
|----------------|-----------------------|-----------------|---------------|-----------------------|----------------|
| dialog         | whole, in German      | English, German | yes           | (as an upgrade)       | preserved ones |
| readline       | config alone, preseed | yes             | yes           | yes                   | (as first)     |
| teletype       | config alone          | yes             | yes           | with another preseed  | (as first)     |
| noninteractive | whole, no answers     | other preseed   | other preseed | (as an upgrade)       | preserved ones |

After a removal the file is there, so nothing is asked, as in an upgrade; after a purge it is not, as in a first
installation. What is in brackets was therefore not tried once more. Much of the last two columns is in test_lifecycle.

By a preseed was installed what the shared machine is; what debconf's own file says is asked of config alone.
"""

from __future__ import annotations

from pathlib import Path

from dcor_dev import layers
from dcor_dev.machine import Machine

SETTINGS = "/etc/dcor-server/dcor-server.conf"
GERMAN = {"LANG": "de_DE.UTF-8"}
BACK = ("Tab", "Tab", "Enter")
#: Debian's part of what the frontends need, and nothing that would bring Python.
FOR_DIALOGS = ("tmux", "whiptail", "perl", "locales-all")


def install_frontends(machine: Machine, *options: str) -> None:
    """Install what the frontends need."""
    machine.run("apt-get", "install", "-qq", *options, *FOR_DIALOGS, env=layers.NONINTERACTIVE)


def install_command(debs: list[Path]) -> str:
    """Return the command that installs ours, for a terminal."""
    return f"apt-get install --yes {' '.join(layers.paths_inside(debs))}"


def debconf_answers(machine: Machine) -> dict[str, str]:
    """Return what debconf-show tells of our questions."""
    lines = machine.run("debconf-show", "dcor-server").stdout.splitlines()
    return dict(line.lstrip("* ").removeprefix("dcor-server/").split(":", 1) for line in lines)


def setting(machine: Machine, key: str) -> str:
    return machine.run("dcor-server", "get", key).stdout.strip()
