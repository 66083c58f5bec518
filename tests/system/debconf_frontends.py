"""Install with each frontend of debconf; this table says which test uses which frontend in which situation.

| frontend       | first installation    | reconfiguration | upgrade       | removed and installed | after a purge  |
|----------------|-----------------------|-----------------|---------------|-----------------------|----------------|
| dialog         | complete, in German   | English, German | yes           | (like an upgrade)     | preserved ones |
| readline       | config only, preseed  | yes             | yes           | yes                   | (like a first) |
| teletype       | config only           | yes             | yes           | with another preseed  | (like a first) |
| noninteractive | complete, no answers  | other preseed   | other preseed | (like an upgrade)     | preserved ones |

After a removal the settings' file exists, so no question is asked, as in an upgrade. After a purge it does not, as in a
first installation. The combinations in parentheses are therefore not tested. Most tests of the last two columns are in
test_lifecycle.

The machine that tests share is installed with preseeded answers. A database file of debconf is tested with config only.
"""

from __future__ import annotations

from pathlib import Path

from dcor_dev import layers
from dcor_dev.machine import Machine

SETTINGS = "/etc/dcor-server/dcor-server.conf"
GERMAN = {"LANG": "de_DE.UTF-8"}
BACK = ("Tab", "Tab", "Enter")
#: The Debian packages that the frontends need, none of which depends on Python.
FRONTEND_PACKAGES = ("tmux", "whiptail", "perl", "locales-all")


def install_frontends(machine: Machine, *options: str) -> None:
    """Install the packages that the frontends need."""
    machine.run("apt-get", "install", "-qq", *options, *FRONTEND_PACKAGES, env=layers.NONINTERACTIVE)


def install_command(debs: list[Path]) -> str:
    """Return the command that installs our packages."""
    return f"apt-get install --yes {' '.join(layers.paths_inside(debs))}"


def debconf_answers(machine: Machine) -> dict[str, str]:
    """Return the answers to our questions in debconf's database."""
    lines = machine.run("debconf-show", "dcor-server").stdout.splitlines()
    return dict(line.lstrip("* ").removeprefix("dcor-server/").split(":", 1) for line in lines)


def setting(machine: Machine, key: str) -> str:
    return machine.run("dcor-server", "get", key).stdout.strip()
