"""Services of systemd: enabled, running, and with every change of their configuration taken over."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine.host import Host

PROPERTIES = ("ActiveState", "UnitFileState", "NeedDaemonReload", "Job")
#: states of a unit's file in which boot starts it (systemctl(1), "is-enabled")
ENABLED = ("enabled", "enabled-runtime")

#: of the journal, when a unit does not start
LINES = 12


@dataclass(frozen=True)
class Service:
    """A unit that runs now and after each boot."""

    unit: str

    @property
    def name(self) -> str:
        return f"service {self.unit}"

    def check(self, host: Host) -> str | None:
        state = unit_state(host, self.unit)
        if state["NeedDaemonReload"] == "yes":
            return "its unit file has changed"
        if state["ActiveState"] != "active":
            return f"is {state['ActiveState']}"
        if state["UnitFileState"] not in (*ENABLED, "static", "alias"):
            return f"is {state['UnitFileState'] or 'not enabled'}, so it would not start at boot"
        return next((f"{handler} is due" for handler in due(host, self.unit)), None)

    def apply(self, host: Host) -> None:
        """Do what is due, once: a restart makes a reload needless, and a start both."""
        asked = due(host, self.unit)
        if unit_state(host, self.unit)["NeedDaemonReload"] == "yes":
            host.run("systemctl", "daemon-reload")
        host.run("systemctl", "enable", "--quiet", self.unit)
        verb = "restart" if f"restart {self.unit}" in asked else "reload-or-restart" if asked else "start"
        _let_start(host, self.unit)
        _run(host, verb, self.unit)
        for handler in asked:
            pending.clear(host, handler)


@dataclass(frozen=True)
class ServiceStarting:
    """A unit that has been told to start, and has the time of the steps that follow to do so."""

    unit: str

    @property
    def name(self) -> str:
        return f"start of {self.unit}"

    def check(self, host: Host) -> str | None:
        state = unit_state(host, self.unit)
        # On a busy machine it may still be inactive, with its start in systemd's queue.
        if state["ActiveState"] in ("active", "activating", "reloading") or state["Job"]:
            return None
        return f"is {state['ActiveState']}"

    def apply(self, host: Host) -> None:
        """Start it with all that was changed until now: a restart that was due would stop it again at once."""
        host.run("systemctl", "daemon-reload")
        _let_start(host, self.unit)
        for handler in due(host, self.unit):
            pending.clear(host, handler)
        host.run("systemctl", "start", "--no-block", self.unit)


@dataclass(frozen=True)
class ServiceStopped:
    """A unit that is not needed now: it does not run, nor start at boot. Its settings and its data stay."""

    unit: str

    @property
    def name(self) -> str:
        return f"service {self.unit}"

    def check(self, host: Host) -> str | None:
        state = unit_state(host, self.unit)
        if state["ActiveState"] not in ("inactive", "failed"):
            return f"is {state['ActiveState']}, and its work is done elsewhere"
        return "would start at boot" if state["UnitFileState"] in ENABLED else None

    def apply(self, host: Host) -> None:
        host.run("systemctl", "disable", "--now", "--quiet", self.unit)


def _run(host: Host, verb: str, unit: str) -> None:
    """Let systemd do it. Raises DcorError with the unit's own last words, where systemctl only tells whom to ask."""
    try:
        host.run("systemctl", verb, unit)
    except CommandFailed:
        words = host.run("journalctl", "--no-pager", "--output=cat", f"--lines={LINES}", f"--unit={unit}")
        raise DcorError(f"{verb} of {unit} failed", words.strip()) from None


def due(host: Host, unit: str) -> list[str]:
    """Return the handlers of a unit that were asked for and not done yet."""
    return [handler for verb in ("restart", "reload") if pending.is_pending(host, handler := f"{verb} {unit}")]


def unit_state(host: Host, unit: str) -> dict[str, str]:
    """Return the state of a unit as systemd tells it (org.freedesktop.systemd1(5))."""
    shown = host.run("systemctl", "show", f"--property={','.join(PROPERTIES)}", unit)
    return dict(line.split("=", 1) for line in shown.splitlines() if line)


def _let_start(host: Host, unit: str) -> None:
    """Let systemd start a unit that has given up, which it would refuse so soon."""
    if unit_state(host, unit)["ActiveState"] == "failed":
        host.run("systemctl", "reset-failed", unit)
