"""A fake of the site as browsers reach it: nginx on port 443, in front of the web server of a release."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from dcor_pkg.ckan import switch
from tests.unit.fake_programs.supervisor import Supervisor
from tests.unit.fake_programs.systemd import Systemd


@dataclass
class Response:
    """What http.client returns."""

    status: int
    body: bytes
    rest: io.BytesIO = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.rest = io.BytesIO(self.body)

    def read1(self, size: int) -> bytes:
        """Return the next part of the body."""
        return self.rest.read(size)


@dataclass
class Site:
    """Answers 200 where nginx and a web server run; `answers` are others, by path."""

    systemd: Systemd
    supervisor: Supervisor
    answers: dict[str, Response] = field(default_factory=dict)
    #: how many requests find nobody who listens, before the first that does
    refusals: int = 0
    #: host name and path of each request
    requests: list[tuple[str, str]] = field(default_factory=list)

    def connection(self, hostname: str) -> Connection:
        """Stand for loopback.Connection."""
        return Connection(self, hostname)

    def answer(self, hostname: str, target: str) -> Response:
        """Answer a request. Raises ConnectionRefusedError where nginx does not run."""
        self.refusals -= 1
        if self.refusals >= 0 or not self.systemd.is_active("nginx.service"):
            raise ConnectionRefusedError(111, "Connection refused")
        self.requests.append((hostname, target))
        states = [program.state for name, program in self.supervisor.loaded.items() if name.startswith("dcor-web-")]
        if "RUNNING" not in states:
            return Response(502, b"")
        success = json.dumps({"success": True}).encode() if target == switch.SEARCH else b"<html>"
        found = self.answers.get(target, Response(200, success))
        return Response(found.status, found.body)


@dataclass
class Connection:
    """One connection to the site."""

    site: Site
    hostname: str
    target: str = ""

    def request(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Remember the request."""
        assert (method, headers) == ("GET", {"Host": self.hostname})
        self.target = target

    def getresponse(self) -> Response:
        """Answer it."""
        return self.site.answer(self.hostname, self.target)
