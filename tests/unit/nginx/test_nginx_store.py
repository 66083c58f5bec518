"""Access to the object store: signed requests go to S3, and public objects are read without a signature."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine.host import Host
from tests.unit.nginx.backends import http, listening, until
from tests.unit.nginx.nginx_server import NAME, NginxServer, opened
from tests.unit.nginx.stored import AWS4, BUCKET, OBJECT, SIGNED, filer


@pytest.fixture(autouse=True)
def stored(server: NginxServer) -> None:
    """Let the filer serve an object."""
    server.filer.respond = filer


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize(
    "target", [f"{OBJECT}?{SIGNED}", f"{OBJECT}?partNumber=1&{SIGNED}&uploadId=a%2Fb", f"/{BUCKET}?{SIGNED}"]
)
def test_a_request_that_is_signed_in_its_query_goes_to_s3(server: NginxServer, method: str, target: str) -> None:
    """Host and path arrive as the client has sent them, because the signature covers both."""
    headers = {"Host": f"{NAME}:443", "Authorization": "a-token-of-ckan", "Cookie": "dcor=session"}
    assert server.ask(target, method, headers).status == 200
    (request,) = server.s3.seen
    assert (request["REQUEST_METHOD"], request["REQUEST_URI"]) == (method, target)
    assert (request["HTTP_HOST"], request["SERVER_PROTOCOL"]) == (f"{NAME}:443", "HTTP/1.1")
    # S3 answers 501 to an unknown Authorization; clients send CKAN's.
    assert request.keys().isdisjoint({"HTTP_AUTHORIZATION", "HTTP_COOKIE"})
    assert server.filer.seen == []


@pytest.mark.parametrize(
    "target", ["/", f"/{BUCKET}", f"/{BUCKET}?policy=", "/circle-000000000-backup/2026/11/a.gpg", OBJECT]
)
def test_a_request_that_is_signed_by_a_header_goes_to_s3(server: NginxServer, target: str) -> None:
    assert server.ask(target, "GET", AWS4).status == 200
    assert [(r["REQUEST_URI"], r["HTTP_AUTHORIZATION"]) for r in server.s3.seen] == [(target, AWS4["Authorization"])]
    assert server.ckan.seen == server.filer.seen == []


@pytest.mark.parametrize("headers", [{"Content-Length": "40000000"}, {"Transfer-Encoding": "chunked"}])
def test_an_upload_is_streamed(server: NginxServer, headers: dict[str, str]) -> None:
    """It may be larger than a request to CKAN, and S3 receives its beginning before the client has sent its end."""
    with server.connect() as connection:
        lines = [f"PUT {OBJECT}?{SIGNED} HTTP/1.1", f"Host: {NAME}", *(f"{k}: {v}" for k, v in headers.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + b"10000\r\n" + b"x" * 0x10000)
        until(lambda: server.s3.begun == 1)
    assert list((server.root / "body").iterdir()) == []


def test_a_public_object_is_read_without_a_signature(server: NginxServer) -> None:
    answer = server.ask(OBJECT, headers={"Authorization": "a-token-of-ckan", "Cookie": "a=b"})
    assert (answer.status, answer.body) == (200, b"\x89HDF")
    assert (answer.headers["etag"], answer.headers["content-length"]) == ('"c0ffee-2"', "4")
    tag, data = server.filer.seen
    assert (tag["REQUEST_METHOD"], data["REQUEST_METHOD"]) == ("HEAD", "GET")
    assert data["REQUEST_URI"] == f"/buckets{OBJECT}"
    assert data["HTTP_AUTHORIZATION"] == "Bearer filer-token"
    assert "HTTP_COOKIE" not in data


def test_internal_headers_of_the_store_are_removed(server: NginxServer) -> None:
    headers = server.ask(OBJECT).headers
    assert not [name for name in headers if "seaweed" in name or "x-amz" in name]
    assert "content-disposition" not in headers
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("target", [OBJECT, f"{OBJECT}?{SIGNED}"])
def test_a_download_is_not_buffered_on_disk(server: NginxServer, target: str) -> None:
    """The store has to send as slowly as the client reads, because nginx does not store the rest of the file."""
    tag = {"X-Amz-Tagging-public": "true"}
    for backend in (server.s3, server.filer):
        backend.respond = lambda request: (
            "200 OK",
            tag,
            b"x" * 50_000_000 if request["REQUEST_METHOD"] == "GET" else b"",
        )
    with server.connect() as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        time.sleep(0.3)  # time in which 50 MB would have been written to the disk
        sent = [
            request["REQUEST_URI"]
            for request in (*server.s3.seen, *server.filer.seen)
            if request["REQUEST_METHOD"] == "GET"
        ]
        assert len(sent) == 1
        assert not {f"GET {sent[0]}"} & {*server.s3.done, *server.filer.done}
        assert [path for path in (server.root / "proxy").rglob("*") if path.is_file()] == []


def test_a_range_of_a_public_object_is_read(server: NginxServer) -> None:
    answer = server.ask(OBJECT, headers={"Range": "bytes=1-2", "If-Range": '"c0ffee-2"'})
    assert (answer.status, answer.headers["content-range"], answer.body) == (206, "bytes 1-2/4", b"HD")
    tag, data = server.filer.seen
    assert "HTTP_RANGE" not in tag
    assert (data["HTTP_RANGE"], data["HTTP_IF_RANGE"]) == ("bytes=1-2", '"c0ffee-2"')


def test_head_has_no_body(server: NginxServer) -> None:
    answer = server.ask(OBJECT, "HEAD")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "4", b"")


def test_the_order_of_a_signed_query_does_not_matter(server: NginxServer) -> None:
    target = f"{OBJECT}?{'&'.join(reversed(SIGNED.split('&')))}"
    assert server.ask(target).status == 200
    assert [request["REQUEST_URI"] for request in server.s3.seen] == [target]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_body_of_a_get_or_head_does_not_reach_the_filer(server: NginxServer, method: str) -> None:
    """The filer would wait for it."""
    assert server.ask(OBJECT, method, body=b"x").status == 200
    assert [request.get("HTTP_CONTENT_LENGTH") for request in server.filer.seen] == [None, None]


def test_requests_during_a_restart_of_the_store_go_to_systemds_sockets(server: NginxServer) -> None:
    """A store that stops removes its sockets."""
    sockets = [server.root / "run/dcor-object-store" / f"{name}.sock" for name in ("s3", "filer")]
    for socket in sockets:
        socket.rename(socket.with_suffix(".gone"))
    try:
        with listening(server.s3, server.root / "run/dcor-store-door/s3.sock", http):
            assert server.ask(f"{OBJECT}?{SIGNED}", "PUT", body=b"x" * 100_000).status == 200
        with listening(server.filer, server.root / "run/dcor-store-door/filer.sock", http):
            assert server.ask(OBJECT).status == 200
        assert server.ask(f"{OBJECT}?{SIGNED}").status == 502
        assert server.ask(OBJECT).status == 503
    finally:
        for socket in sockets:
            socket.with_suffix(".gone").rename(socket)
    assert len(server.s3.seen[0]["body"]) == 100_000
    assert server.ask(OBJECT).status == 200


def test_while_the_store_is_down_clients_are_asked_to_try_again(server: NginxServer) -> None:
    server.filer.respond = lambda request: ("502 Bad Gateway", {}, b"")
    answer = server.ask(OBJECT)
    assert (answer.status, answer.headers["retry-after"]) == (503, "10")


def test_an_external_store_is_not_reached_through_nginx() -> None:
    settings = Settings(hostname=NAME, object_store="https://AKID@s3.example.org")
    with (
        TemporaryDirectory(prefix="nginx") as directory,
        opened(Host(root=Path(directory)), settings=settings) as server,
    ):
        assert server.ask(OBJECT).status == server.ask(f"{OBJECT}?{SIGNED}").status == 404
        page = server.ask("/", headers=AWS4)
        assert page.status == 200
        assert "img-src 'self' data: https: https://s3.example.org;" in page.headers["content-security-policy"]
        assert len(server.ckan.seen) == 1
        assert server.s3.seen == server.filer.seen == []
