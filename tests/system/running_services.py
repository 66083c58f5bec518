"""Find out when services were last started, to show that a change does not restart them."""

from __future__ import annotations

from dcor_dev.machine import Machine

#: Services that do not depend on the site's own settings.
SERVICES = (
    *("postgresql@*-main.service", "redis-server@dcor", "dcor-solr", "dcor-object-store", "nginx", "dcor-ckan"),
    *(
        "dcor-solr.socket",
        "dcor-store-door@s3.socket",
        "dcor-store-door@filer.socket",
        "dcor-converge.timer",
        "dcor-metrics.timer",
        "dcor-nightly.timer",
        "dcor-watch.timer",
    ),
)


def start_times(machine: Machine) -> dict[str, str]:
    """Return for each of SERVICES when it was last started, and its main process."""
    shown = machine.run("systemctl", "show", "--property=Id,MainPID,ActiveEnterTimestampMonotonic", *SERVICES).stdout
    return dict(sorted(_unit(block) for block in shown.strip().split("\n\n")))


def _unit(block: str) -> tuple[str, str]:
    """Return the name of a unit and its other properties, from a paragraph of `systemctl show`."""
    lines = sorted(block.splitlines())
    return next(line for line in lines if line.startswith("Id=")), " ".join(lines)
