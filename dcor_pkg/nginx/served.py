"""The step that asks the site by https: what was not asked for is not reported as a success."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import loopback

#: how long nginx may take to listen after it was started
TIMEOUT_SECONDS, POLL_SECONDS = 15.0, 0.5
HINT = "See what listens, and what nginx says: ss -tlnp; nginx -T; journalctl --unit=nginx"


@dataclass(frozen=True)
class Served:
    """The host name is answered on port 443 with its certificate, with whatever status: CKAN is asked elsewhere."""

    hostname: str
    name: str = "answer by https"

    def check(self, host: Host) -> str | None:
        try:
            connection = loopback.Connection(self.hostname)
            connection.request("GET", "/", headers={"Host": self.hostname})
            connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            return f"https://{self.hostname}/ is not answered: {error}"
        return None

    def apply(self, host: Host) -> None:
        """Wait for nginx. Raises DcorError."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (problem := self.check(host)) is not None:
            if time.monotonic() > deadline:
                raise DcorError(f"{problem}.", HINT)
            time.sleep(POLL_SECONDS)
