"""Send ten requests a second to a server until /run/poller.stop exists, and count the failures.

The arguments are the server's names: while it is renamed, it responds to one of them. This program runs on the server
itself, so it connects to the loopback address, and it does not verify the certificate. Like a real client, it keeps
its connection open.
"""

from __future__ import annotations

import http.client
import json
import pathlib
import socket
import ssl
import sys
import time

CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
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

    def failure(self) -> str | None:
        """Send one request; return what is wrong with the response, or None."""
        try:
            response = self._request()
            good = response.status == 200 and json.loads(response.read())["success"]
            if response.will_close:
                self._connection = None
            return None if good else f"{response.status} {response.reason}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection = None
            return repr(error)

    def _request(self) -> http.client.HTTPResponse:
        """Send a request, and repeat it when the server had closed the idle connection (RFC 9112, 9.3.1)."""
        reused = self._connection is not None
        self._connection = self._connection or Connection(self._name)
        try:
            self._connection.request("GET", "/api/3/action/package_search?rows=1", headers={"Cookie": "dcor=probe"})
            return self._connection.getresponse()
        except CLOSED:
            if not reused:
                raise
            self._connection = None
            return self._request()


def main() -> None:
    """Send requests, count failures, and print the result as JSON."""
    clients = [Client(name) for name in sys.argv[1:]]
    failed, requests, longest, last = [], 0, 0.0, time.monotonic()
    while not pathlib.Path("/run/poller.stop").exists():
        started = time.monotonic()
        failures = []
        for client in list(clients):
            failure = client.failure()
            if failure is None:
                break
            failures.append(failure)
            clients.append(clients.pop(0))  # try the name that responds first the next time
        requests += 1
        if len(failures) < len(clients):
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        else:
            failed.append("; ".join(failures))
        time.sleep(max(0.0, 0.1 - (time.monotonic() - started)))
    print(json.dumps({"requests": requests, "failed": failed, "longest_gap_seconds": longest}))


if __name__ == "__main__":
    main()
