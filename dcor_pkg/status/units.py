"""The units of systemd: those that have to run, the timers, and those of ours that have failed."""

from __future__ import annotations

import re

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.systemd_service import unit_state
from dcor_pkg.kernel.timers import TIMERS
from dcor_pkg.machine.host import Host
from dcor_pkg.services.engine import Engine
from dcor_pkg.status.part import Part

#: healthy ones are shown together
GROUP = "services"
#: as systemctl prints those that have failed, without what is for people
FAILED = ("systemctl", "list-units", "--failed", "--all", "--plain", "--no-legend", "--full", "dcor-*")
#: the unit that mails the administrator about another one
MAIL = re.compile(r"dcor-mail@(.+)\.service")


def of_engine(host: Host, engine: Engine) -> Part:
    """Return the unit that runs an engine: that of PostgreSQL's cluster, not the one that groups all clusters."""
    try:
        return of(host, engine.running_unit(host))
    except DcorError as error:
        return Part(engine.unit.removesuffix(".service"), error.reason)


def of(host: Host, unit: str) -> Part:
    """Return a unit that has to run."""
    state = unit_state(host, unit)["ActiveState"]
    return Part(unit.removesuffix(".service"), None if state == "active" else f"is {state}", group=GROUP)


def timers(host: Host) -> Part:
    """Return our timers as one part, with the first that does not run."""
    problems = (f"{unit} {problem}" for unit in TIMERS if (problem := of(host, unit).problem))
    return Part("timers", next(problems, None), group=GROUP)


def failed(host: Host) -> list[Part]:
    """Return which units of ours have failed, and about which of them no mail could be sent.

    These are warnings: what a unit has left undone may have been done by hand since, and systemd does not know. A
    converge that failed is a problem by its record, whoever has begun it.
    """
    names = [line.split()[0] for line in host.run(*FAILED).splitlines() if line.strip()]
    mails = [found[1] for found in map(MAIL.fullmatch, names) if found]
    others = [name for name in names if MAIL.fullmatch(name) is None]
    return [
        Part("failed units", None, "none", warning=", ".join(others), numbers={"failed_units": len(others)}),
        Part("mail", None, "no mail has failed", warning=_unsent(mails), numbers={"failed_mails": len(mails)}),
    ]


def _unsent(units: list[str]) -> str:
    return f"could not be sent about {', '.join(units)}; see: journalctl --unit='dcor-mail@*'" if units else ""
