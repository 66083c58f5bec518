"""A fake of systemd: systemctl and journalctl, over units with a state. Answers as those of systemd 252."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dcor_pkg.machine.host import Host
from dcor_pkg.services.object_store import private_network
from tests.unit.fake_programs.call import Call, Handler

DIRECTORY = "/etc/systemd/system"
#: the main process of each unit
MAIN = 4001


@dataclass
class Unit:
    """What systemd knows of a unit."""

    active: str = "inactive"
    file: str = "disabled"
    job: str = ""
    #: what its files held when systemd last read them
    loaded: dict[str, str | None] = field(default_factory=dict)


class Systemd:
    """Units by their names; a test reads and changes `units`, and sets what happens to them."""

    def __init__(self, host: Host, *units: str) -> None:
        self.host = host
        self.units = {unit: Unit(loaded=self._files(unit)) for unit in units}
        #: units that do not start, with what they write into the journal then
        self.broken: dict[str, str] = {}
        #: units that run and answer nobody until they are restarted
        self.deaf: set[str] = set()
        #: lines of the journal, by unit
        self.journal: dict[str, str] = {}
        #: called after VERB of UNIT ("reload nginx.service"), and after "daemon-reload"
        self.hooks: dict[str, Callable[[], object]] = {}

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {"systemctl": self.systemctl, "journalctl": self.journalctl, "systemd-run": self.run}

    def run(self, call: Call) -> str:
        """Run a program in a unit that ends with it: the trial of a private network."""
        if call.argv != private_network.TRIAL:
            raise call.unknown()
        return ""

    def _require_active(self, call: Call, unit: str) -> str:
        if not self.is_active(unit):
            raise call.failure(3, "")
        return ""

    def is_active(self, unit: str) -> bool:
        """Tell whether a unit runs."""
        return unit in self.units and self.units[unit].active == "active"

    def answers(self, unit: str) -> bool:
        """Tell whether a unit runs and answers."""
        return self.is_active(unit) and unit not in self.deaf

    def systemctl(self, call: Call) -> str:
        """Carry out `systemctl VERB [OPTION...] [UNIT...]`."""
        verb, *units = call.words
        if verb == "list-units":
            return self._list_failed(call)
        verbs: dict[str, Callable[[Call, str], str]] = {
            "show": self._show,
            "start": self._start,
            "restart": self._start,
            "reload": self._reload,
            "reload-or-restart": self._reload,
            "stop": self._stop,
            "enable": self._enable,
            "disable": self._disable,
            "unmask": self._unmask,
            "reset-failed": self._reset,
            "is-active": self._require_active,
        }
        if call.argv[1:] == ("daemon-reload",):
            self._read_files()
            return ""
        if verb not in verbs or not units:
            raise call.unknown()
        return "".join(self._done(call, verb, unit, verbs[verb]) for unit in units)

    def _list_failed(self, call: Call) -> str:
        assert call.argv[1:] == ("list-units", "--failed", "--all", "--plain", "--no-legend", "--full", "dcor-*"), call
        names = sorted(name for name, unit in self.units.items() if unit.active == "failed")
        return "".join(f"{name} loaded failed failed Description\n" for name in names if name.startswith("dcor-"))

    def journalctl(self, call: Call) -> str:
        """Answer `journalctl --no-pager --output=cat --lines=N --unit=UNIT`."""
        lines = self.journal.get(call.option("--unit"), "-- No entries --\n").splitlines(keepends=True)
        return "".join(lines[-int(call.option("--lines")) :])

    def _done(self, call: Call, verb: str, unit: str, do: Callable[[Call, str], str]) -> str:
        said = do(call, unit)
        self.hooks.get(f"{verb} {unit}", lambda: None)()
        return said

    def _show(self, call: Call, unit: str) -> str:
        state = self._find(unit)
        if state is None:  # systemd has never heard of it; `systemctl show` ends with 0 all the same
            state = Unit(file="")
        shown = {
            "ActiveState": state.active,
            "UnitFileState": state.file,
            "NeedDaemonReload": "no" if state.loaded == self._files(unit) or not state.file else "yes",
            "Job": state.job,
            "MainPID": str(MAIN if state.active == "active" else 0),
        }
        asked = call.option("--property").split(",")
        if set(asked) - set(shown):
            raise call.unknown()
        return "".join(f"{name}={value}\n" for name, value in shown.items() if name in asked)

    def _start(self, call: Call, unit: str) -> str:
        state = self._existing(call, unit)
        if state.file.startswith("masked"):
            raise call.failure(1, f"Failed to {call.words[0]} {unit}: Unit {unit} is masked.\n")
        if unit in self.broken:
            state.active = "failed"
            self.journal[unit] = self.broken[unit]
            if "--no-block" in call.options:
                return ""
            raise call.failure(
                1,
                f"Job for {unit} failed because the control process exited with error code.\n"
                f'See "systemctl status {unit}" and "journalctl -xeu {unit}" for details.\n',
            )
        state.active = "activating" if "--no-block" in call.options else "active"
        if call.words[0] == "restart":
            self.deaf.discard(unit)
        return ""

    def _reload(self, call: Call, unit: str) -> str:
        state = self._existing(call, unit)
        if state.active == "active":
            return ""
        if call.words[0] == "reload":
            raise call.failure(1, f"{unit} is not active, cannot reload.\n")
        return self._start(call, unit)

    def _stop(self, call: Call, unit: str) -> str:
        self._existing(call, unit).active = "inactive"
        return ""

    def _enable(self, call: Call, unit: str) -> str:
        state = self._existing(call, unit)
        if state.file.startswith("masked"):
            raise call.failure(1, f"Failed to enable unit: Unit file {unit} is masked.\n")
        if state.file != "static":
            state.file = "enabled"
        self._read_files()  # systemctl(1), "enable": the configuration of the manager is reloaded
        return ""

    def _disable(self, call: Call, unit: str) -> str:
        state = self._find(unit)
        if state is None:
            raise call.failure(1, f"Failed to disable unit: Unit file {unit} does not exist.\n")
        state.file = "disabled" if state.file == "enabled" else state.file
        if "--now" in call.options:
            state.active = "inactive"
        self._read_files()
        return ""

    def _unmask(self, call: Call, unit: str) -> str:
        state = self._existing(call, unit)
        if ("--runtime" in call.options) == (state.file == "masked-runtime"):
            state.file = "disabled"
        return ""

    def _reset(self, call: Call, unit: str) -> str:
        state = self._existing(call, unit)
        state.active = "inactive" if state.active == "failed" else state.active
        return ""

    def _existing(self, call: Call, unit: str) -> Unit:
        state = self._find(unit)
        if state is None:
            raise call.failure(5, f"Failed to {call.words[0]} {unit}: Unit {unit} not found.\n")
        return state

    def _find(self, unit: str) -> Unit | None:
        """Return a unit; one of a template is made when its file is there."""
        if unit not in self.units and any(text is not None for text in self._files(unit).values()):
            self.units[unit] = Unit(loaded=self._files(unit))
        return self.units.get(unit)

    def _read_files(self) -> None:
        for name, unit in self.units.items():
            unit.loaded = self._files(name)
        self.hooks.get("daemon-reload", lambda: None)()

    def _files(self, unit: str) -> dict[str, str | None]:
        """Return what is in the files of a unit below /etc/systemd/system, by their paths."""
        prefix, at, rest = unit.partition("@")
        template = f"{prefix}@.{rest.rpartition('.')[2]}" if at else unit
        drop_ins = [f"{DIRECTORY}/{unit}.d/{name}" for name in self.host.names(f"{DIRECTORY}/{unit}.d")]
        return {path: self.host.read(path) for path in (f"{DIRECTORY}/{template}", *drop_ins)}
