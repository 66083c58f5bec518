"""Ask a server ten times a second until /run/probe.stop is there, and count; as a client that keeps its connection.

The arguments are the server's names: while it gets another one, one of them answers. It runs on the server itself, so
loopback is the way there, and which certificate it has is not the question.
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
GONE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Connection(http.client.HTTPSConnection):
    """A connection to this machine under a name."""

    def connect(self) -> None:
        """Connect by loopback."""
        plain = socket.create_connection(("127.0.0.1", 443), timeout=60)
        self.sock = CONTEXT.wrap_socket(plain, server_hostname=self.host)


class Client:
    """Asks under one name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._connection: Connection | None = None

    def fault(self) -> str | None:
        """Ask once, and return what was wrong with the answer."""
        try:
            answer = self._ask()
            good = answer.status == 200 and json.loads(answer.read())["success"]
            if answer.will_close:
                self._connection = None
            return None if good else f"{answer.status} {answer.reason}"
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection = None
            return repr(error)

    def _ask(self) -> http.client.HTTPResponse:
        """Ask, and once more where the kept connection was closed while it was idle (RFC 9112, 9.3.1)."""
        kept = self._connection is not None
        self._connection = self._connection or Connection(self._name)
        try:
            self._connection.request("GET", "/api/3/action/package_search?rows=1", headers={"Cookie": "dcor=probe"})
            return self._connection.getresponse()
        except GONE:
            if not kept:
                raise
            self._connection = None
            return self._ask()


def main() -> None:
    """Ask and count."""
    clients = [Client(name) for name in sys.argv[1:]]
    failed, asked, longest, last = [], 0, 0.0, time.monotonic()
    while not pathlib.Path("/run/probe.stop").exists():
        started = time.monotonic()
        faults = []
        for client in list(clients):
            fault = client.fault()
            if fault is None:
                break
            faults.append(fault)
            clients.append(clients.pop(0))  # the one that answers is asked first
        asked += 1
        if len(faults) < len(clients):
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        else:
            failed.append("; ".join(faults))
        time.sleep(max(0.0, 0.1 - (time.monotonic() - started)))
    print(json.dumps({"asked": asked, "failed": failed, "longest": longest}))


if __name__ == "__main__":
    main()
