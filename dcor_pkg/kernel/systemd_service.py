"""Services of systemd: enabled, running, and restarted or reloaded after each change of their configuration."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host

PROPERTIES = ("ActiveState", "UnitFileState", "NeedDaemonReload", "Job")
#: states of a unit file with which the unit starts at boot (systemctl(1), "is-enabled")
ENABLED = ("enabled", "enabled-runtime")
#: states of the unit file of a unit that another one starts
STARTED_BY_OTHERS = ("static", "alias")
#: states of the unit file of a unit that nothing can start, with the option that ends it
MASKED = {"masked": (), "masked-runtime": ("--runtime",)}
#: lines of the journal that are shown when a unit does not start
JOURNAL_LINES = 12
#: for one start or restart: CKAN's job workers finish the jobs that they are working on
TIMEOUT_SECONDS = 900.0


@dataclass(frozen=True)
class Service:
    """A unit that runs now and after each boot."""

    unit: str

    @property
    def name(self) -> str:
        return f"service {self.unit}"

    def check(self, host: Host) -> str | None:
        state = unit_state(host, self.unit)
        if state["UnitFileState"] in MASKED:
            return "is masked, so nothing can start it"
        if state["NeedDaemonReload"] == "yes":
            return "its unit file has changed"
        if state["ActiveState"] != "active":
            return f"is {state['ActiveState']}"
        if state["UnitFileState"] not in (*ENABLED, *STARTED_BY_OTHERS):
            return f"is {state['UnitFileState'] or 'not enabled'}, so it would not start at boot"
        return next((f"its {action.split()[0]} is pending" for action in pending_actions(host, self.unit)), None)

    def apply(self, host: Host) -> None:
        """Carry out what is pending, once: a restart includes a reload, and a start includes both."""
        actions = pending_actions(host, self.unit)
        let_start(host, self.unit)
        if unit_state(host, self.unit)["NeedDaemonReload"] == "yes":
            host.run("systemctl", "daemon-reload")
        host.run("systemctl", "enable", "--quiet", self.unit)
        verb = "restart" if f"restart {self.unit}" in actions else "reload-or-restart" if actions else "start"
        _run(host, verb, self.unit)
        for action in actions:
            pending.clear(host, action)


@dataclass(frozen=True)
class ServiceStarting:
    """A unit that starts in the background, while the next steps run."""

    unit: str

    @property
    def name(self) -> str:
        return f"start of {self.unit}"

    def check(self, host: Host) -> str | None:
        state = unit_state(host, self.unit)
        # On a busy machine it may still be inactive, with a job for its start in the queue of systemd.
        if state["ActiveState"] in ("active", "activating", "reloading") or state["Job"]:
            return None
        return f"is {state['ActiveState']}"

    def apply(self, host: Host) -> None:
        """Start it; this includes the pending restarts and reloads, which would otherwise stop it again at once."""
        host.run("systemctl", "daemon-reload")
        let_start(host, self.unit)
        for action in pending_actions(host, self.unit):
            pending.clear(host, action)
        host.run("systemctl", "start", "--no-block", self.unit)
        if unit_state(host, self.unit)["ActiveState"] == "failed":
            raise _failure(host, "start", self.unit)


@dataclass(frozen=True)
class ServiceStopped:
    """A unit that is not needed, since the service is external: it is stopped and disabled. Its data stay."""

    unit: str

    @property
    def name(self) -> str:
        return f"service {self.unit}"

    def check(self, host: Host) -> str | None:
        state = unit_state(host, self.unit)
        if state["ActiveState"] not in ("inactive", "failed"):
            return f"is {state['ActiveState']}, and not needed, since the service is external"
        return "is enabled, so it would start at boot" if state["UnitFileState"] in ENABLED else None

    def apply(self, host: Host) -> None:
        host.run("systemctl", "disable", "--now", "--quiet", self.unit)


def start(host: Host, unit: str) -> None:
    """Start a unit, also one that has failed too often. Raises DcorError."""
    let_start(host, unit)
    _run(host, "start", unit)


def restart(host: Host, unit: str) -> None:
    """Restart a unit, also one that has failed too often. Raises DcorError."""
    let_start(host, unit)
    _run(host, "restart", unit)


def let_start_at_boot(host: Host, unit: str) -> None:
    """Enable a unit that is disabled or masked; it is neither started nor stopped."""
    if unit_state(host, unit)["UnitFileState"] in ("disabled", *MASKED):
        let_start(host, unit)
        host.run("systemctl", "enable", "--quiet", unit)


def _run(host: Host, verb: str, unit: str) -> None:
    """Run `systemctl VERB UNIT`. Raises DcorError."""
    try:
        host.run("systemctl", verb, unit, timeout=TIMEOUT_SECONDS)
    except CommandFailed:
        raise _failure(host, verb, unit) from None


def _failure(host: Host, verb: str, unit: str) -> DcorError:
    """Return the error of a unit, with the end of its journal, which says more than systemctl."""
    journal = host.run("journalctl", "--no-pager", "--output=cat", f"--lines={JOURNAL_LINES}", f"--unit={unit}")
    return DcorError(f"`systemctl {verb} {unit}` failed", journal.strip())


def pending_actions(host: Host, unit: str) -> list[str]:
    """Return which of "restart UNIT" and "reload UNIT" are pending."""
    return [action for verb in ("restart", "reload") if pending.is_pending(host, action := f"{verb} {unit}")]


def unit_state(host: Host, unit: str) -> dict[str, str]:
    """Return the PROPERTIES of a unit (org.freedesktop.systemd1(5))."""
    shown = host.run("systemctl", "show", f"--property={','.join(PROPERTIES)}", unit)
    return dict(line.split("=", 1) for line in shown.splitlines() if line)


def let_start(host: Host, unit: str) -> None:
    """Let systemd start a unit that is masked, or that has failed too often in a short time."""
    state = unit_state(host, unit)
    if state["UnitFileState"] in MASKED:
        host.run("systemctl", "unmask", "--quiet", *MASKED[state["UnitFileState"]], unit)
    if state["ActiveState"] == "failed":
        host.run("systemctl", "reset-failed", unit)
