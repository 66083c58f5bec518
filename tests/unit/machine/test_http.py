"""Questions over HTTP, on a port and on a unix socket: an answer, or status 0 with the reason."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pwd
import socketserver
import threading
import time
import xmlrpc.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import http_request, unix_http
from dcor_pkg.machine.unix_http import Answer

LOGIN = ("ckan", Secret("hush"))


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was asked; 401 without the password, 500 below /broken, nothing below /silent."""

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def address_string(self) -> str:
        return "client"

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def _answer(self, body: str) -> None:
        if self.path.startswith("/silent"):
            return
        if self.path == "/RPC2":
            text = xmlrpc.client.dumps((xmlrpc.client.loads(body)[1],), methodresponse=True).encode()
        else:
            login = base64.b64decode((self.headers["Authorization"] or "").removeprefix("Basic ")).decode()
            asked = {"path": self.path, "host": self.headers["Host"], "login": login, "body": body}
            text = json.dumps(asked).encode() + b"\xff"
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class UnixServer(socketserver.UnixStreamServer):
    """The same on a unix socket."""


def serve(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve until the test ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a server."""
    server = HTTPServer(("127.0.0.1", 0), Handler)
    for _ in serve(server):
        yield server.server_port


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the path of the socket of a server; a relative one, for it may have at most 107 bytes."""
    monkeypatch.chdir(tmp_path)
    for _ in serve(UnixServer("socket", Handler)):
        yield "socket"


def asked(answer: Answer) -> dict[str, str]:
    """Return what the server was asked; the byte at the end that is not UTF-8 was replaced."""
    found: dict[str, str] = json.loads(answer.body.removesuffix("\ufffd"))
    return found


def test_a_service_gets_user_password_and_json(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "http_proxy", "http://127.0.0.1:9")
    answer = http_request.ask(f"http://127.0.0.1:{port}/select?q=x", LOGIN)
    assert (answer.status, asked(answer)["path"], asked(answer)["login"]) == (200, "/select?q=x", "ckan:hush")
    assert asked(http_request.ask(f"http://127.0.0.1:{port}/", LOGIN, "{}"))["body"] == "{}"


def test_an_error_of_the_service_is_an_answer(port: int) -> None:
    answer = http_request.ask(f"http://127.0.0.1:{port}/broken", LOGIN)
    assert (answer.status, asked(answer)["path"]) == (500, "/broken")


def test_no_answer_is_status_0_with_the_reason(port: int) -> None:
    assert http_request.ask("http://127.0.0.1:9/", LOGIN) == Answer(0, "[Errno 111] Connection refused")
    silent = http_request.ask(f"http://127.0.0.1:{port}/silent", LOGIN)
    assert (silent.status, silent.body) == (0, "Remote end closed connection without response")


def test_a_program_on_a_socket_gets_the_host_name(path: str) -> None:
    answer = unix_http.get(path, "/dataset/", "dcor.example.org")
    assert (answer.status, asked(answer)["path"], asked(answer)["host"]) == (200, "/dataset/", "dcor.example.org")
    assert unix_http.get(path, "/broken", "x").status == 500


def test_no_answer_on_a_socket_is_status_0_with_the_reason(path: str) -> None:
    assert unix_http.get("/no/such.sock", "/", "x") == Answer(0, "[Errno 2] No such file or directory")
    assert unix_http.get(path, "/silent", "x") == Answer(0, "Remote end closed connection without response")


ME = pwd.getpwuid(os.getuid()).pw_name
OTHER = next(it.pw_name for it in pwd.getpwall() if it.pw_uid != os.getuid())


def test_supervisor_is_asked_by_xml_rpc(path: str) -> None:
    assert unix_http.rpc(path, ME, "supervisor.getState") == "supervisor.getState"


def test_a_program_of_another_user_is_not_asked(path: str) -> None:
    """CKAN's user could replace the socket by a link to the one of root's own supervisor."""
    with pytest.raises(DcorError, match=f"a process of the user {os.getuid()} listens there, not of {OTHER}"):
        unix_http.rpc(path, OTHER, "supervisor.getState")
    assert f"not of {OTHER}" in unix_http.get(path, "/", "x", user=OTHER).body


class Hostile(socketserver.StreamRequestHandler):
    """Answers with the bytes in `text`, one after the other, with a pause after each part; then it waits."""

    parts: tuple[bytes, ...] = ()
    pause = 0.0
    ends = True

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.recv(65536)  # an answer before the request would be a reset for who still sends it
            for part in self.parts:
                self.wfile.write(part)
                time.sleep(self.pause)
        self.request.settimeout(5)
        with contextlib.suppress(OSError):
            while not self.ends and self.request.recv(65536):
                pass


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hostile]]:
    """Return what answers on the socket "hostile"."""
    monkeypatch.chdir(tmp_path)
    handler = type("OneHostile", (Hostile,), {})
    for _ in serve(UnixServer("hostile", handler)):
        yield handler


OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
RESPONSE = b"<methodResponse><params><param><value>%b</value></param></params></methodResponse>"
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%b]><methodResponse>&j;</methodResponse>' % b"".join(
    b'<!ENTITY %c "%b">' % (after, b"&%c;" % before * 20) for before, after in zip(b"abcdefghi", b"bcdefghij")
)


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"\0" * 100, b"HTTP/1.1 200", b"HTTP/9.9 abc OK\r\n\r\n", b"HTTP/1.1 500 No\r\n\r\n"),
        OK_HEAD + b"Content-Length: 99999999999\r\n\r\n<methodResponse>",
        OK_HEAD + b"Content-Length: -1\r\n\r\n<methodResponse>",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK_HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b",
        OK_HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        OK_HEAD + b"X: y\r\n" * 200 + b"\r\n",
        OK_HEAD + b"\r\n<html>",
        OK_HEAD + b"\r\n<methodResponse/>",
        OK_HEAD + b"\r\n<methodResponse><params></params></methodResponse>",
        OK_HEAD + b"\r\n" + RESPONSE % b"<int>x</int>",
        OK_HEAD + b"\r\n" + RESPONSE % b"<boolean>2</boolean>",
        OK_HEAD + b"\r\n" + RESPONSE % b"<bigdecimal>x</bigdecimal>",
        OK_HEAD + b"\r\n" + RESPONSE % b"<struct><member><value>1</value></member></struct>",
        OK_HEAD + b"\r\n" + RESPONSE % b"</value><array></array>",
        OK_HEAD + b"\r\n" + BOMB,
    ],
)
def test_an_answer_that_is_none_is_an_error_with_its_reason(hostile: type[Hostile], answer: bytes) -> None:
    hostile.parts = (answer,)
    with pytest.raises(DcorError, match="hostile"):
        unix_http.rpc("hostile", ME, "supervisor.getState")


def test_an_answer_has_a_limit_of_time(hostile: type[Hostile], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, and the answer would take a minute."""
    hostile.parts, hostile.pause = (b"H",) * 600, 0.1
    monkeypatch.setattr(unix_http, "TIMEOUT_SECONDS", 0.3)
    before = time.monotonic()
    with pytest.raises(DcorError, match="timed out"):
        unix_http.rpc("hostile", ME, "supervisor.getState")
    assert unix_http.get("hostile", "/", "x", timeout=0.3) == Answer(0, "timed out")
    assert time.monotonic() - before < 10


def test_silence_has_a_limit_of_time(hostile: type[Hostile]) -> None:
    hostile.ends = False
    assert unix_http.get("hostile", "/", "x", timeout=0.2) == Answer(0, "timed out")


def test_an_answer_has_a_limit_of_size(hostile: type[Hostile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix_http, "MAX_BYTES", 100_000)
    hostile.parts = (b"HTTP/1.1 200 OK\r\n\r\n", *((b"x" * 50_000,) * 4))
    assert "longer than 100000 bytes" in unix_http.get("hostile", "/", "x").body
