"""Stubs for what stands behind nginx: they answer as they are told, and remember what has arrived."""

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

#: A request as WSGI tells it: REQUEST_METHOD, REQUEST_URI, HTTP_HOST ..., and "body".
Request = Mapping[str, str]
#: status line, headers, body
Reply = tuple[str, Mapping[str, str], bytes]


def echo(request: Request) -> Reply:
    """Answer with what has arrived, and with the headers that CKAN has on its pages."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "public, must-revalidate, max-age=86400",
        "Set-Cookie": "dcor=.eJwlzjEOwzAIAMC; Secure; HttpOnly; Path=/; SameSite=Strict",
        "Vary": "Cookie",
    }
    return "200 OK", headers, json.dumps(dict(request)).encode()


@dataclass
class Backend:
    """One stub. `say` may be replaced by a test."""

    say: Callable[[Request], Reply] = echo
    seen: list[Request] = field(default_factory=list)
    #: how many connections have brought something, be it not yet a whole request
    begun: int = 0
    #: what has been answered to the end: "GET /address"
    done: list[str] = field(default_factory=list)

    @property
    def only(self) -> Request:
        """The one request that has arrived."""
        (request,) = self.seen
        return request

    def forget(self) -> None:
        """Begin anew; an answer that ends only now goes to the former list."""
        self.say, self.seen, self.begun, self.done = echo, [], 0, []

    def answer(self, request: Request) -> bytes:
        """Return the bytes of the answer, and remember the request."""
        self.seen.append(request)
        status, headers, body = self.say(request)
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + (b"" if request["REQUEST_METHOD"] == "HEAD" else body)


@contextlib.contextmanager
def listening(backend: Backend, path: Path, read: Callable[[socket.socket], Request]) -> Iterator[None]:
    """Let a backend listen on a unix socket; `read` understands the protocol."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(10)
            done = backend.done  # of this test: an answer may end after the next test has begun, with a list of its own
            backend.begun += bool(self.request.recv(1, socket.MSG_PEEK))
            with contextlib.suppress(OSError, ValueError):  # a client that has gone in the middle of its request
                request = read(self.request)
                self.request.sendall(backend.answer(request))
                done.append(f"{request['REQUEST_METHOD']} {request['REQUEST_URI']}")

    path.parent.mkdir(parents=True, exist_ok=True)
    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            path.unlink()


def until(happened: Callable[[], bool], patience: float = 5.0) -> None:
    """Wait for something that other threads bring about."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
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
    """Read a request in HTTP/1.1, with a length or in chunks."""
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
