"""A fake of supervisor: its XML-RPC interface, and supervisorctl, over the files in conf.d."""
# ruff: noqa: N802 (the methods of the interface have these names)

from __future__ import annotations

import configparser
import itertools
from dataclasses import dataclass, field
from typing import Any

from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import SUPERVISOR_PROGRAMS
from tests.unit.fake_programs.call import Call, Handler
from tests.unit.fake_programs.systemd import Systemd

UNIT = "supervisor.service"


@dataclass
class Program:
    """What supervisor knows of a program."""

    state: str
    process: int
    #: its section of the configuration
    section: dict[str, str]


@dataclass
class Supervisor:
    """Programs by their names; `fault` is in the place of RUNNING for a program that does not start."""

    host: Host
    systemd: Systemd
    loaded: dict[str, Program] = field(default_factory=dict)
    fault: dict[str, str] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(5001), compare=False)

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {"supervisorctl": self.supervisorctl}

    def rpc(self, path: str) -> Supervisor:
        """Stand for unix_http.rpc: return a proxy, whose namespace `supervisor` this is too."""
        assert path == str(self.host.path("/run/supervisor.sock")), path
        return self

    @property
    def supervisor(self) -> Supervisor:
        """The namespace of the interface; OSError where nothing listens on the socket."""
        if not self.systemd.is_active(UNIT):
            raise FileNotFoundError(2, "No such file or directory")
        return self

    def getAllProcessInfo(self) -> list[dict[str, Any]]:
        """Return what XML-RPC does of each program, as far as it is read."""
        return [
            {"name": name, "group": name, "statename": program.state, "pid": program.process}
            for name, program in sorted(self.loaded.items())
        ]

    def startProcess(self, name: str, wait: bool) -> bool:
        """Start a program."""
        assert not wait
        program = self.loaded[name]
        program.state = self.fault.get(name, "RUNNING")
        program.process = next(self.numbers) if program.state == "RUNNING" else 0
        return True

    def stopProcess(self, name: str, wait: bool) -> bool:
        """Stop a program."""
        assert not wait
        self.loaded[name].state, self.loaded[name].process = "STOPPED", 0
        return True

    def supervisorctl(self, call: Call) -> str:
        """Carry out `supervisorctl update`: forget what is gone or changed, start what is new."""
        if call.argv != ("supervisorctl", "update") or not self.systemd.is_active(UNIT):
            raise call.unknown()
        found = self.configured()
        gone = [name for name, program in self.loaded.items() if found.get(name) != program.section]
        for name in gone:
            del self.loaded[name]
        new = sorted(set(found) - set(self.loaded))
        for name in new:
            self.loaded[name] = Program("STOPPED", 0, found[name])
            self.startProcess(name, False)
        return "".join(
            [f"{name}: stopped\n{name}: removed process group\n" for name in gone]
            + [f"{name}: added process group\n" for name in new]
        )

    def configured(self) -> dict[str, dict[str, str]]:
        """Return the programs that the files in conf.d name, with their sections."""
        parser = configparser.ConfigParser(interpolation=None)
        for name in self.host.names(SUPERVISOR_PROGRAMS):
            if name.endswith(".conf"):
                parser.read_string(self.host.read(f"{SUPERVISOR_PROGRAMS}/{name}") or "", name)
        return {section.partition(":")[2]: dict(parser[section]) for section in parser.sections()}

    def restart(self) -> None:
        """Load everything again, as at a start of the service."""
        self.loaded = {name: Program("STOPPED", 0, section) for name, section in self.configured().items()}
        for name in self.loaded:
            self.startProcess(name, False)
