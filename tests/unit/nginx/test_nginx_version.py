"""nginx does not publish its version, whatever it is asked."""

from __future__ import annotations

import re

import pytest

from tests.unit.nginx.nginx_server import NAME, NginxServer

MALFORMED = {
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "invalid host": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "no request": b"nonsense\r\n\r\n",
    "unknown version": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "long address": b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 9_000 + b"\r\n\r\n",
    "invalid path": b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "invalid length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    "smuggled": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TRACE": b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
}
#: as in "nginx/1.22.1"
VERSION = re.compile(r"nginx/|[0-9]+\.[0-9]+\.[0-9]+")


@pytest.mark.parametrize("request_line", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_is_answered_without_a_version(server: NginxServer, request_line: bytes) -> None:
    for request in (request_line, request_line.replace(b"Host: a\r\n", f"Host: {NAME}\r\n".encode())):
        for port in (server.plain, server.tls):
            answer = server.ask_plainly(request, port)
            assert not VERSION.search(answer), answer


def test_a_malformed_request_within_tls_is_answered_without_a_version(server: NginxServer) -> None:
    for request in MALFORMED.values():
        with server.connect() as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")
        assert not VERSION.search(answer), answer
