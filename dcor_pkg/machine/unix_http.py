"""Ask a program over HTTP on a unix socket: a release's web server, the object store, supervisor's XML-RPC."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from dataclasses import dataclass

TIMEOUT_SECONDS = 60.0


class Connection(http.client.HTTPConnection):
    """An HTTP connection over a unix socket."""

    def __init__(self, path: str, timeout: float = TIMEOUT_SECONDS) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer; status 0, and the reason as the body, where there was none."""

    status: int
    body: str


def get(path: str, target: str, host: str, timeout: float = TIMEOUT_SECONDS) -> Answer:
    """Return the answer to GET `target` on the socket at `path`, with `host` as the header Host."""
    connection = Connection(path, timeout)
    try:
        connection.request("GET", target, headers={"Host": host})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(error) or type(error).__name__)
    finally:
        connection.close()


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        """Return a connection to the socket, whatever host the URL names."""
        return Connection(self._path)


def rpc(path: str) -> xmlrpc.client.ServerProxy:
    """Return a proxy for the XML-RPC interface on the socket at `path`."""
    return xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(path))
