"""A fake of supervisor, CKAN's and Debian's: its XML-RPC interface over the files of its programs."""
# ruff: noqa: N802 (the methods of the interface have these names)

from __future__ import annotations

import configparser
import itertools
import xmlrpc.client
from dataclasses import dataclass, field
from typing import Any

from dcor_pkg.ckan import programs
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.runtime import trial
from tests.unit.fake_programs.systemd import Systemd

#: how the name of a web server of CKAN begins
WEB = "dcor-web-"


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
    unit: str
    #: the directory of the programs' files
    directory: str
    socket: str
    user: str
    loaded: dict[str, Program] = field(default_factory=dict)
    fault: dict[str, str] = field(default_factory=dict)
    #: when all programs were started, in seconds since 1970
    started: int = 0
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(5001), compare=False)

    def rpc(self, method: str, *arguments: Any) -> Any:
        """Stand for unix_http.rpc on the socket. Raises DcorError where nothing listens there."""
        if not self.systemd.is_active(self.unit) or not self.host.exists(self.socket):
            raise DcorError(f"Nothing answers at {self.socket}: [Errno 2] No such file or directory.")
        return getattr(self, method.removeprefix("supervisor."))(*arguments)

    def getAllProcessInfo(self) -> list[dict[str, Any]]:
        """Return what XML-RPC does of each program, as far as it is read."""
        return [
            {"name": name, "group": name, "statename": program.state, "pid": program.process, "start": self.started}
            for name, program in sorted(self.loaded.items())
        ]

    def startProcess(self, name: str, wait: bool) -> bool:
        """Start a program."""
        assert not wait
        program = self.loaded[name]
        program.state = self.fault.get(name, "RUNNING")
        program.process = next(self.numbers) if program.state == "RUNNING" else 0
        for path in self.sockets_of(name) if program.process else ():
            self.host.write(path, "", Access(0o660, "root", self.user))
        if program.process and name.startswith(WEB):
            self._say_that_it_is_held(f"{programs.CONFIGURATIONS}/{name.removeprefix(WEB)}/{trial.HOLD}")
        return True

    def _say_that_it_is_held(self, hold: str) -> None:
        sign = self.host.read(hold)
        if sign is not None:
            self.host.write(sign, "", Access(0o644))

    def stopProcess(self, name: str, wait: bool) -> bool:
        """Stop a program."""
        assert not wait
        self.loaded[name].state, self.loaded[name].process = "STOPPED", 0
        return True

    def sockets_of(self, name: str) -> tuple[str, ...]:
        """Return the sockets on which a program listens: a web server of CKAN."""
        if not name.startswith(WEB):
            return ()
        path = f"{self.socket.rpartition('/')[0]}/{name.removeprefix(WEB)}"
        return f"{path}.sock", f"{path}.probe.sock"

    def reloadConfig(self) -> list[list[list[str]]]:
        """Return which programs have changed in the files."""
        found = self.configured()
        both = sorted(set(found) & set(self.loaded))
        changed = [name for name in both if found[name] != self.loaded[name].section]
        return [[sorted(set(found) - set(self.loaded)), changed, sorted(set(self.loaded) - set(found))]]

    def addProcessGroup(self, name: str) -> bool:
        """Load a program and start it."""
        self.loaded[name] = Program("STOPPED", 0, self.configured()[name])
        return self.startProcess(name, False)

    def removeProcessGroup(self, name: str) -> bool:
        """Forget a program that does not run."""
        if self.loaded[name].process:
            raise xmlrpc.client.Fault(91, f"STILL_RUNNING: {name}")
        del self.loaded[name]
        return True

    def configured(self) -> dict[str, dict[str, str]]:
        """Return the programs that the files name, with their sections."""
        parser = configparser.ConfigParser(interpolation=None)
        for name in self.host.names(self.directory):
            if name.endswith(".conf"):
                parser.read_string(self.host.read(f"{self.directory}/{name}") or "", name)
        return {section.partition(":")[2]: dict(parser[section]) for section in parser.sections()}

    def end(self) -> None:
        """End with all programs, as when the service stops."""
        self.loaded = {}
        self.host.remove(self.socket)

    def restart(self) -> None:
        """Load everything again, as at a start of the service."""
        self.loaded = {name: Program("STOPPED", 0, section) for name, section in self.configured().items()}
        self.host.write(self.socket, "", Access(0o700, self.user, self.user))
        for name in self.loaded:
            self.startProcess(name, False)
