"""Stubs of the servers behind nginx: a test sets their answers, and they record the requests that arrive."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: A request with the names of WSGI: REQUEST_METHOD, REQUEST_URI, HTTP_HOST ..., and "body".
Request = Mapping[str, str]
#: status line, headers, body
Reply = tuple[str, Mapping[str, str], bytes]


def echo(request: Request) -> Reply:
    """Answer with the request itself as JSON, and with the headers of CKAN's pages."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "public, must-revalidate, max-age=86400",
        "Set-Cookie": "dcor=.eJwlzjEOwzAIAMC; Secure; HttpOnly; Path=/; SameSite=Strict",
        "Vary": "Cookie",
    }
    return "200 OK", headers, json.dumps(dict(request)).encode()


@dataclass
class Backend:
    """One stub, which answers a request by `respond`; a test may replace it."""

    respond: Callable[[Request], Reply] = echo
    seen: list[Request] = field(default_factory=list)
    #: how many connections have sent at least one byte
    begun: int = 0
    #: the requests whose answer was sent to its end: "GET /address"
    done: list[str] = field(default_factory=list)

    @property
    def only(self) -> Request:
        """The one request that has arrived."""
        (request,) = self.seen
        return request

    def reset(self) -> None:
        """Reset the stub; an answer that ends later is recorded in the former list."""
        self.respond, self.seen, self.begun, self.done = echo, [], 0, []

    def answer(self, request: Request) -> bytes:
        """Return the bytes of the answer, and record the request."""
        self.seen.append(request)
        status, headers, body = self.respond(request)
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + (b"" if request["REQUEST_METHOD"] == "HEAD" else body)


@contextlib.contextmanager
def listening(backend: Backend, path: Path, read: Callable[[socket.socket], Request]) -> Iterator[None]:
    """Let a backend listen on a unix socket; `read` reads a request in its protocol."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(10)
            done = (
                backend.done
            )  # this test's list: the answer may end during the next test, which has a list of its own
            backend.begun += bool(self.request.recv(1, socket.MSG_PEEK))
            with contextlib.suppress(OSError, ValueError):  # the client has disconnected during its request
                request = read(self.request)
                self.request.sendall(backend.answer(request))
                done.append(f"{request['REQUEST_METHOD']} {request['REQUEST_URI']}")

    class Listener(socketserver.ThreadingUnixStreamServer):
        request_queue_size = 500

    path.parent.mkdir(parents=True, exist_ok=True)
    with Listener(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            path.unlink()


def until(happened: Callable[[], bool], timeout_seconds: float = 5.0) -> None:
    """Wait until another thread has done something. Raises AssertionError after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    while not happened():
        assert time.monotonic() < deadline, f"it did not happen within {timeout_seconds} s"
        time.sleep(0.01)


def uwsgi(connection: socket.socket) -> Request:
    """Read a request in uWSGI's protocol (uwsgi-docs, "The uwsgi Protocol")."""
    stream = connection.makefile("rb")
    _, size, _ = struct.unpack("<BHB", stream.read(4))
    packet, variables, at = stream.read(size), [], 0
    while at < size:
        (length,) = struct.unpack_from("<H", packet, at)
        variables.append(packet[at + 2 : at + 2 + length].decode("latin-1"))
        at += 2 + length
    request = dict(zip(variables[::2], variables[1::2]))
    return {**request, "body": stream.read(int(request.get("CONTENT_LENGTH") or 0)).decode("latin-1")}


def http(connection: socket.socket) -> Request:
    """Read a request in HTTP/1.1, with a Content-Length or in chunks."""
    stream = connection.makefile("rb")
    method, target, protocol = stream.readline().decode("latin-1").split()
    request = {"REQUEST_METHOD": method, "REQUEST_URI": target, "SERVER_PROTOCOL": protocol}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        request["HTTP_" + name.upper().replace("-", "_")] = value.strip()
    if request.get("HTTP_TRANSFER_ENCODING") == "chunked":
        return {**request, "body": "".join(_chunks(stream.readline, stream.read))}
    return {**request, "body": stream.read(int(request.get("HTTP_CONTENT_LENGTH") or 0)).decode("latin-1")}


def _chunks(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Iterator[str]:
    while size := int(line(), 16):
        yield read(size).decode("latin-1")
        line()
