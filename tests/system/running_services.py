"""Which services run, and since when: what a change must leave alone is the same before and after."""

from __future__ import annotations

from dcor_dev.machine import Machine

#: What need not know of a change of the site's own settings.
SERVICES = (
    *("postgresql@*-main.service", "redis-server@dcor", "dcor-solr", "dcor-object-store", "nginx", "supervisor"),
    *("dcor-store-door@s3.socket", "dcor-store-door@filer.socket", "dcor-converge.timer", "dcor-nightly.timer"),
)


def start_times(machine: Machine) -> dict[str, str]:
    """Return when each of the other services was last started, and its main process."""
    shown = machine.run("systemctl", "show", "--property=Id,MainPID,ActiveEnterTimestampMonotonic", *SERVICES).stdout
    return dict(sorted(_unit(block) for block in shown.strip().split("\n\n")))


def _unit(block: str) -> tuple[str, str]:
    """Return the name of a unit, and the rest of what systemd shows of it."""
    lines = sorted(block.splitlines())
    return next(line for line in lines if line.startswith("Id=")), " ".join(lines)
