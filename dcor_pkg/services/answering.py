"""The step that asks a local engine what CKAN asks it: a process that runs may still serve nobody."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import systemd_service
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.engine import Engine

#: how long an engine is asked that systemd calls ready, and how long one after a restart; and how often
PATIENCE_SECONDS, TIMEOUT_SECONDS, POLL_SECONDS = 5.0, 60.0, 0.5


@dataclass(frozen=True)
class Answering:
    """A local engine that answers as CKAN needs it; one that does not is restarted, once."""

    engine: Engine
    endpoint: Endpoint

    @property
    def name(self) -> str:
        return f"answer of {self.engine.unit.removesuffix('.service')}"

    def check(self, host: Host) -> str | None:
        return self.engine.health(host, self.endpoint)

    def apply(self, host: Host) -> None:
        """Wait, for it may be busy; then restart it, and wait again. Raises DcorError."""
        if self._problem(host, PATIENCE_SECONDS) is None:
            return
        systemd_service.restart(host, self.engine.unit)
        if (problem := self._problem(host, TIMEOUT_SECONDS)) is not None:
            unit = self.engine.unit
            raise DcorError(
                f"{unit} was restarted, and what CKAN asks it is still not answered: {problem}.",
                f"See: journalctl --unit={unit}",
            )

    def _problem(self, host: Host, seconds: float) -> str | None:
        """Return what is wrong, at the latest after so many seconds."""
        deadline = time.monotonic() + seconds
        while (problem := self.check(host)) is not None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return problem
