"""dpkg on a fake machine: it runs the maintainer scripts, with debconf's answers, and looks at how they end."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from dcor_pkg import maintainer
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.machine.host import Host
from tests.unit.answers.frontend import Frontend
from tests.unit.command_line import ANSWERS
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs.call import Call

#: what debhelper puts into a script
DEBHELPER = "\n# Automatically added by dh_installsystemd\ndeb-systemd-helper enable dcor-converge.timer\n"


class Connection(Wire):
    """A connection to debconf that records its end. Output before that would break the protocol."""

    is_open = True

    def __init__(self, frontend: Frontend, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(frontend)
        self.capsys = capsys

    def hang_up(self) -> None:
        """Close it."""
        assert self.capsys.readouterr().out == ""
        self.is_open = False


@dataclass
class Dpkg:
    """Runs the maintainer scripts as dpkg does, on a fake machine."""

    machine: Machine
    capsys: pytest.CaptureFixture[str]
    #: None where a script must not ask debconf
    connection: Connection | None = None
    out: str = ""
    err: str = ""
    #: the parts of debhelper that were run
    debhelper: list[Call] = field(default_factory=list)

    @property
    def host(self) -> Host:
        """The machine."""
        return self.machine.host

    def postinst(self, *arguments: str, debhelper: str = DEBHELPER) -> int:
        """Run the postinst and return its exit code."""
        return self._ended(maintainer.postinst(["/var/lib/dpkg/info/dcor-server.postinst", *arguments], debhelper))

    def prerm(self, *arguments: str, debhelper: str = DEBHELPER) -> int:
        """Run the prerm and return its exit code."""
        return self._ended(maintainer.prerm(["/var/lib/dpkg/info/dcor-server.prerm", *arguments], debhelper))

    def preseed(self, answers: dict[str, str]) -> None:
        """Let debconf have these answers."""
        self.connection = Connection(Frontend(preseed=answers, interactive=False), self.capsys)

    def installed(self) -> Dpkg:
        """Install for the first time."""
        self.preseed(ANSWERS)
        assert self.postinst("configure", "") == 0, self.err
        self.debhelper.clear()
        return self

    def run_debhelper(self, call: Call) -> str:
        """Stand for sh."""
        assert call.argv[:3] == ("sh", "-e", "-c")
        self.debhelper.append(call)
        return "Created symlink.\n"

    def _ended(self, code: int) -> int:
        self.out, self.err = self.capsys.readouterr()
        assert "Traceback" not in self.out + self.err
        return code
