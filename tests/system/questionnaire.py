"""The answers on a real machine: each frontend of debconf, in each situation that apt brings it into.

| frontend       | first installation      | reconfiguration | upgrade       | removed, installed again    |
|----------------|-------------------------|-----------------|---------------|-----------------------------|
| dialog         | whole, in German        | English, German | yes           | with another preseed        |
| readline       | config alone, preseeded | yes             | yes           | as an upgrade: the file is  |
| teletype       | config alone            | yes             | yes           | there, so nothing is asked  |
| noninteractive | whole, no answers       | other preseed   | other preseed | test_lifecycle, same preseed |

By a preseed was installed what the shared machine is; what debconf's own file says is asked of config alone.
"""

from __future__ import annotations

from dcor_dev.machine import Machine

SETTINGS = "/etc/dcor-server/dcor-server.conf"
GERMAN = {"LANG": "de_DE.UTF-8"}
BACK = ("Tab", "Tab", "Enter")
#: Debian's part of what the frontends need, and nothing that would bring Python.
FOR_DIALOGS = ("tmux", "whiptail", "perl", "locales-all")


def debconf_shows(machine: Machine) -> dict[str, str]:
    """Return what debconf-show tells of our questions."""
    lines = machine.run("debconf-show", "dcor-server").stdout.splitlines()
    return dict(line.lstrip("* ").removeprefix("dcor-server/").split(":", 1) for line in lines)


def setting(machine: Machine, key: str) -> str:
    return machine.run("dcor-server", "get", key).stdout.strip()
