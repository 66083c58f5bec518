"""Questions over HTTP, on a port and on a unix socket: an answer, or status 0 with the reason."""

from __future__ import annotations

import base64
import json
import os
import socketserver
import threading
import xmlrpc.client
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dcor_pkg.answers.secret import Secret
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


def test_supervisor_is_asked_by_xml_rpc(path: str) -> None:
    assert unix_http.rpc(path).supervisor.getState() == "supervisor.getState"
