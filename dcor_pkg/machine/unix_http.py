"""Ask a program over HTTP on a unix socket: a release's web server, the object store, supervisor's XML-RPC.

CKAN's programs parse what strangers send, so what answers there may be a stranger's as well, and who asks is root: an
answer has a limit of time and of size, and comes from a process of the expected user. (That user could replace the
socket by a link to another program's.)
"""

from __future__ import annotations

import errno
import http.client
import io
import pwd
import socket
import struct
import time
import xmlrpc.client
from dataclasses import dataclass
from typing import Any
from xml.parsers.expat import ExpatError

from dcor_pkg.errors import DcorError

TIMEOUT_SECONDS = 60.0
#: the longest answer; the largest page of CKAN has a hundredth of it
MAX_BYTES = 16 * 1024 * 1024
#: what the parser of XML-RPC raises for a text that is no answer of XML-RPC (found by trying)
NOT_XML_RPC = (xmlrpc.client.Error, ExpatError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer; status 0, and the reason as the body, where there was none."""

    status: int
    body: str


def get(path: str, target: str, host: str, timeout: float = TIMEOUT_SECONDS, *, user: str | None = None) -> Answer:
    """Return the answer to GET `target` on the socket at `path`, with `host` as the header Host.

    `user`: whose process has to listen there; anybody's where it is None.
    """
    try:
        return _ask(path, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n", "", timeout, user)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(error) or type(error).__name__)


def post(path: str, target: str, host: str, token: str, body: str, *, user: str) -> Answer:
    """Return the answer to POST of JSON, with a token in the header Authorization; as `get` does."""
    head = f"POST {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
    try:
        return _ask(path, head, body, TIMEOUT_SECONDS, user)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(error) or type(error).__name__)


def rpc(path: str, user: str, method: str, *arguments: Any) -> Any:
    """Return what a method of the XML-RPC interface on the socket at `path` returns.

    Raises xmlrpc.client.Fault where the method fails, and DcorError where nothing answers as XML-RPC does.
    """
    head = "POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n"
    try:
        answer = _ask(path, head, xmlrpc.client.dumps(arguments, method), TIMEOUT_SECONDS, user)
    except (OSError, http.client.HTTPException) as error:
        raise DcorError(f"Nothing answers at {path}: {str(error) or type(error).__name__}.") from None
    if answer.status != http.client.OK:
        raise DcorError(f"What listens at {path} answers {method} with status {answer.status}.")
    try:
        return xmlrpc.client.loads(answer.body)[0][0]
    except xmlrpc.client.Fault:
        raise
    except NOT_XML_RPC:
        raise DcorError(f"What listens at {path} does not answer {method} as XML-RPC does.") from None


def _ask(path: str, head: str, body: str, timeout: float, user: str | None) -> Answer:
    """Send a request and return the answer. Raises OSError and HTTPException."""
    content = body.encode()
    request = f"{head}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode() + content
    response = http.client.HTTPResponse(_Received(_exchange(path, request, timeout, user)))  # type: ignore[arg-type]
    response.begin()
    return Answer(response.status, response.read().decode("utf-8", "replace"))


def _exchange(path: str, request: bytes, timeout: float, user: str | None) -> bytes:
    """Send a request and return all that comes back until the other side closes. Raises OSError."""
    received, deadline = bytearray(), time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(path)
        if user is not None:
            _require_peer(connection, user)
        connection.sendall(request)
        while part := connection.recv(65536):
            received += part
            if len(received) > MAX_BYTES:
                raise OSError(errno.EMSGSIZE, f"the answer is longer than {MAX_BYTES} bytes")
            _allow_until(connection, deadline)
    return bytes(received)


def _allow_until(connection: socket.socket, deadline: float) -> None:
    """Let the next part of an answer take the rest of the time. Raises TimeoutError where there is none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection.settimeout(left)


def _require_peer(connection: socket.socket, user: str) -> None:
    """Raise PermissionError where a process of another user listens (unix(7), SO_PEERCRED)."""
    format_ = "3i"  # pid, uid, gid
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(format_))
    found = struct.unpack(format_, credentials)[1]
    if found != pwd.getpwnam(user).pw_uid:
        raise PermissionError(errno.EPERM, f"a process of the user {found} listens there, not of {user}")


class _Received:
    """What was received, in the place of the socket that it came from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _: str) -> io.BytesIO:
        """Return a file with the whole answer."""
        return io.BytesIO(self._data)
