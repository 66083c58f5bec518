"""Send ten requests a second to a server until /run/poller.stop exists, count the failures, and measure the times.

The requests are searches and the sign-in page in turn.

The arguments are the server's names: while it is renamed, it responds to one of them. This program runs on the server
itself, so it connects to the loopback address, and it does not verify the certificate. Like a real client, it keeps
its connection open.
"""

from __future__ import annotations

import http.client
import itertools
import json
import pathlib
import socket
import ssl
import statistics
import sys
import time

CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
SEARCH = "/api/3/action/package_search?rows=1"
PAGES = (SEARCH, "/user/login")
CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Connection(http.client.HTTPSConnection):
    """A connection to this computer under one of its names."""

    def connect(self) -> None:
        """Connect to the loopback address."""
        plain = socket.create_connection(("127.0.0.1", 443), timeout=60)
        self.sock = CONTEXT.wrap_socket(plain, server_hostname=self.host)


class Client:
    """A client that uses one name of the server."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection: Connection | None = None

    def failure(self, page: str) -> str | None:
        """Request a page; return what is wrong with the response, or None."""
        try:
            response = self._request(page)
            text = response.read()
            good = response.status == 200 and (page != SEARCH or json.loads(text)["success"])
            if response.will_close:
                self._connection = None
            return None if good else f"{response.status} {response.reason}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection = None
            return repr(error)

    def _request(self, page: str) -> http.client.HTTPResponse:
        """Send a request, and repeat it when the server had closed the idle connection (RFC 9112, 9.3.1)."""
        reused = self._connection is not None
        self._connection = self._connection or Connection(self._name)
        try:
            self._connection.request("GET", page, headers={"Cookie": "dcor=probe"})
            return self._connection.getresponse()
        except CLOSED:
            if not reused:
                raise
            self._connection = None
            return self._request(page)


def main() -> None:
    """Send requests, count failures, and print the result as JSON."""
    clients = [Client(name) for name in sys.argv[1:]]
    failed, seconds, longest, last = [], [], 0.0, time.monotonic()
    for page in itertools.cycle(PAGES):
        if pathlib.Path("/run/poller.stop").exists():
            break
        started = time.monotonic()
        failures = []
        for client in list(clients):
            failure = client.failure(page)
            if failure is None:
                break
            failures.append(failure)
            clients.append(clients.pop(0))  # try the name that responds first the next time
        seconds.append(time.monotonic() - started)
        if len(failures) < len(clients):
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        else:
            failed.append("; ".join(failures))
        time.sleep(max(0.0, 0.1 - (time.monotonic() - started)))
    figures = {"requests": len(seconds), "longest_gap_seconds": longest, "p95_seconds": percentile_95(seconds)}
    print(json.dumps({**figures, "failed": failed}))


def percentile_95(seconds: list[float]) -> float:
    """Return the duration that 95 of 100 requests do not exceed, in seconds."""
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else sum(seconds)


if __name__ == "__main__":
    main()
