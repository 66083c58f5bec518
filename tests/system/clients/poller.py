"""Send ten requests a second of each kind to a server, count the failures, and measure the times.

`poller.py DIRECTORY NAME...`: the file kinds.json in the directory has the kinds (availability.Kind). They are sent at
the same time until there is a file `stop`; then the results are written to results.json. While the server is renamed,
it responds to one of its names.

This program runs on the server itself, so it connects to the loopback address, and it does not verify the certificate.
Like a real client, it keeps its connections open; but what writes gets a new one each time, since it could not be
repeated when the server has closed one.
"""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import pathlib
import socket
import ssl
import statistics
import sys
import time
from typing import Any

CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
INTERVAL_SECONDS = 0.1


class Connection(http.client.HTTPSConnection):
    """A connection to this computer under one of its names."""

    def connect(self) -> None:
        """Connect to the loopback address."""
        plain = socket.create_connection(("127.0.0.1", 443), timeout=60)
        self.sock = CONTEXT.wrap_socket(plain, server_hostname=self.host)


class Client:
    """A client that uses one name of the server, and sends requests of one kind."""

    def __init__(self, name: str, kind: dict[str, Any]) -> None:
        self._name, self._kind = name, kind
        self._connection: Connection | None = None

    def failure(self, number: int) -> str | None:
        """Send the request with a number; return what is wrong with the response, or None."""
        try:
            response = self._request(number)
            text = response.read()
            is_json = (response.getheader("content-type") or "").startswith("application/json")
            good = response.status == 200 and (not is_json or json.loads(text).get("success", True))
            if response.will_close or self._kind["body"]:
                self._connection = None
            return None if good else f"{response.status} {response.reason}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection = None
            return repr(error)

    def _request(self, number: int) -> http.client.HTTPResponse:
        """Send a request, and repeat it when the server had closed the idle connection (RFC 9112, 9.3.1)."""
        reused = self._connection is not None
        self._connection = self._connection or Connection(self._name)
        try:
            self._connection.request(*self._content(number), headers=self._kind["headers"])
            return self._connection.getresponse()
        except CLOSED:
            if not reused:
                raise
            self._connection = None
            return self._request(number)

    def _content(self, number: int) -> tuple[str, str, str | None]:
        """Return method, target and body."""
        targets, body = self._kind["targets"], self._kind["body"]
        target = targets[number % len(targets)].replace("NUMBER", str(number))
        return "POST" if body else "GET", target, body.replace("NUMBER", str(number)) or None


def poll(names: list[str], kind: dict[str, Any], stop: pathlib.Path) -> dict[str, Any]:
    """Send requests of one kind until there is a file; return the results."""
    clients = [Client(name, kind) for name in names]
    failed: list[str] = []
    seconds: list[float] = []
    longest, last = 0.0, time.monotonic()
    while not stop.exists():
        started = time.monotonic()
        failures = []
        for client in list(clients):
            failure = client.failure(len(seconds))
            if failure is None:
                break
            failures.append(failure)
            clients.append(clients.pop(0))  # try the name that responds first the next time
        seconds.append(time.monotonic() - started)
        if len(failures) < len(clients):
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        else:
            failed.append("; ".join(failures))
        time.sleep(max(0.0, INTERVAL_SECONDS - (time.monotonic() - started)))
    longest = max(longest, time.monotonic() - last)
    figures = {"requests": len(seconds), "longest_gap_seconds": longest, "p95_seconds": percentile_95(seconds)}
    return {**figures, "failed": failed}


def percentile_95(seconds: list[float]) -> float:
    """Return the duration that 95 of 100 requests do not exceed, in seconds."""
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else sum(seconds)


def main(directory: pathlib.Path, names: list[str]) -> None:
    """Send requests of all kinds, and write the results."""
    kinds = json.loads((directory / "kinds.json").read_text())
    with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
        polls = {kind: pool.submit(poll, names, content, directory / "stop") for kind, content in kinds.items()}
    results = {kind: polled.result() for kind, polled in polls.items()}
    (directory / "results.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
