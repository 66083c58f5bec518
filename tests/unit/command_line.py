"""The command `dcor-server` on the fake machine: its arguments in; output and exit code out."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

import pytest

from dcor_pkg import cli
from dcor_pkg.answers import settings
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Access
from tests.unit.fake_machine import Machine

ANSWERS = {"hostname": "dcor.example.org", "email": "admin@example.org"}
#: the texts of pages that no server should lack
PAGES = {name: f"/srv/{name}.md" for name in settings.PAGES}


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, parsed: JSON and nothing else."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()


class CommandLine:
    """Runs `dcor-server` as root on a fake machine, whose site is reached as browsers do."""

    def __init__(self, machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.machine, self.capsys = machine, capsys
        self.site = machine.site
        monkeypatch.setattr(cli, "Host", lambda: machine.host)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "umask", lambda mask: mask)

    def __call__(self, *arguments: str) -> Ended:
        """Run the command; wrong usage ends it as argparse does."""
        self.capsys.readouterr()
        try:
            code = cli.main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        captured = self.capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    def converged(self, answers: dict[str, str] | None = None) -> CommandLine:
        """Set up the server with these settings, and return the command."""
        for path in PAGES.values():
            self.machine.host.write(path, "# Text", Access(0o644))
        settings_file.save(self.machine.host, settings.parse({**ANSWERS, **PAGES, **(answers or {})}))
        ended = self("converge")
        assert ended.code == 0, ended
        return self
