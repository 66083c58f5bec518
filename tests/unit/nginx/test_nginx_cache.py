"""nginx caches pages for guests and assets, but never a page of a user whom CKAN identifies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.machine.host import Host
from tests.unit.nginx.backends import Reply, Request, echo
from tests.unit.nginx.nginx_server import NAME, NginxServer, opened

#: Each test uses addresses of its own, because all of them share nginx's cache.
NUMBERS = count()
PAGES = [
    "/",
    "/about",
    "/dataset/",
    "/dataset/name",
    "/group/name",
    "/organization/",
    "/de/dataset",
    "/feeds/dataset.atom",
]
KNOWN: list[Mapping[str, str]] = [
    {"Cookie": "dcor=.eJwlzjEOwzAIAMC_MHcAY2OTz0QYg9o1aaaqf2-lTrfdB_Y84nzC9j6ueMD-WrDBzBFijVXMjURIq3bXVp2W"},
    {"Cookie": "a=b; dcor=eyJfdXNlcl9pZCI6ICJ4In0.Z0.x; c=d"},
    {"Cookie": "remember_token=somebody|0123"},
    {"Authorization": "a-token"},
    {"X-CKAN-API-Key": "a-token"},
]


def uncached(page: str) -> str:
    """Return an address that was not requested before."""
    return f"{page}?n={next(NUMBERS)}"


@pytest.mark.parametrize("page", PAGES)
def test_guests_share_a_page(server: NginxServer, page: str) -> None:
    target = uncached(page)
    first = server.ask(target)
    second = server.ask(target, headers={"Cookie": "other=1; dcor=", "User-Agent": "another"})
    assert (first.status, second.body) == (200, first.body)
    assert len(server.ckan.seen) == 1


def test_no_header_of_a_guests_request_reaches_ckan(server: NginxServer) -> None:
    """Otherwise a guest could change the page that all others get."""
    poison = {"X-Forwarded-Host": "evil", "Accept-Language": "de", "Origin": "https://evil", "Cookie": "a=b"}
    server.ask(uncached("/dataset/"), headers={**poison, "X-Forwarded-For": "6.6.6.6", "User-Agent": "evil"})
    (request,) = server.ckan.seen
    headers = {name: value for name, value in request.items() if name.startswith("HTTP_")}
    assert headers == {"HTTP_HOST": "dcor.example.org", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}


def test_guests_get_no_session(server: NginxServer) -> None:
    """With a session they would not be guests any more, and it would replace one that the browser has not sent."""
    headers = server.ask(uncached("/dataset/")).headers
    assert "set-cookie" not in headers
    assert headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("page", ["/", "/dataset/name"])
def test_a_users_page_is_neither_cached_nor_taken_from_the_cache(
    server: NginxServer, page: str, known: Mapping[str, str]
) -> None:
    target = uncached(page)
    server.ckan.respond = lambda request: _of(request, "for a user")
    assert [server.ask(target, headers=known).text for _ in range(2)] == ["for a user"] * 2
    server.ckan.respond = lambda request: _of(request, "for a guest")
    assert server.ask(target).text == "for a guest"
    server.ckan.respond = lambda request: _of(request, "for a user again")
    answer = server.ask(target, headers=known)
    assert (answer.text, answer.headers["cache-control"]) == ("for a user again", "private, no-cache")
    assert server.ask(target).text == "for a guest"
    assert len(server.ckan.seen) == 4


@pytest.mark.parametrize(
    "page", ["/user/login", "/user/reset", "/dashboard/datasets", "/ckan-admin/", "/api/3/action/x"]
)
def test_pages_with_forms_and_pages_of_users_are_not_cached(server: NginxServer, page: str) -> None:
    """The CSRF token in the form for signing in belongs to the session that the answer sets."""
    target = uncached(page)
    assert ["set-cookie" in server.ask(target).headers for _ in range(2)] == [True, True]
    assert len(server.ckan.seen) == 2
    assert server.ask(target).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "status",
    ["404 NOT FOUND", "403 FORBIDDEN", "302 FOUND", "301 MOVED PERMANENTLY", "308 PERMANENT REDIRECT", "500 OH"],
)
def test_only_successful_answers_are_cached(server: NginxServer, status: str) -> None:
    target = uncached("/dataset/name")
    server.ckan.respond = lambda request: (status, {"Location": "/user/login"}, b"")
    assert server.ask(target).status == int(status[:3])
    server.ckan.respond = echo
    assert server.ask(target).status == 200


def test_the_answer_to_head_is_not_cached(server: NginxServer) -> None:
    target = uncached("/about")
    assert server.ask(target, "HEAD").body == b""
    assert server.ask(target).body != b""


DATA = ["download/a.rtdc", "download", "condensed.rtdc", "preview.jpg"]


@pytest.mark.parametrize("name", DATA)
def test_data_are_not_cached(server: NginxServer, name: str) -> None:
    target = uncached(f"/dataset/a/resource/b/{name}")
    assert [server.ask(target).status for _ in range(2)] == [200] * 2
    assert len(server.ckan.seen) == 2


@pytest.mark.parametrize("name", DATA)
def test_data_are_not_buffered_on_disk(server: NginxServer, name: str) -> None:
    """CKAN has to send as slowly as the client reads, because nginx does not store the rest of the file."""
    server.ckan.respond = lambda request: ("200 OK", {}, b"x" * 50_000_000)
    target = uncached(f"/dataset/a/resource/b/{name}")
    with server.connect() as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert connection.recv(5) == b"HTTP/"
        time.sleep(0.3)  # time in which 50 MB would have been written to the disk
        assert f"GET {target}" not in server.ckan.done
        assert [path for path in (server.root / "uwsgi").rglob("*") if path.is_file()] == []


def test_assets_are_cached_for_everybody(server: NginxServer) -> None:
    target = uncached("/webassets/base/0123_main.css")
    answers = [server.ask(target, headers=headers) for headers in ({}, *KNOWN)]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=86400"}
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert len(server.ckan.seen) == 1
    assert "HTTP_COOKIE" not in server.ckan.seen[0]


def test_assets_are_compressed(server: NginxServer) -> None:
    server.ckan.respond = lambda request: ("200 OK", {"Content-Type": "text/css"}, b"a { color: red; }" * 1000)
    answer = server.ask(uncached("/base/css/main.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 2000


@pytest.mark.parametrize("page", ["/dataset/", "/base/a.js"])
def test_cache_headers_of_ckan_are_ignored(server: NginxServer, page: str) -> None:
    """A page that was made for guests is shared even if CKAN marks it as `private, no-store`."""
    target = uncached(page)
    server.ckan.respond = lambda request: ("200 OK", {"Cache-Control": "private, no-store", "Vary": "*"}, b"same")
    server.ask(target)
    server.ask(target)
    assert len(server.ckan.seen) == 1


def test_while_ckan_is_down_guests_get_the_cached_page() -> None:
    """Users get an error."""
    soon = "200 1m;", "200 1s;"
    with (
        TemporaryDirectory(prefix="nginx") as place,
        opened(Host(Path(place)), lambda site: site.replace(*soon)) as server,
    ):
        cached = server.ask("/dataset/").text
        time.sleep(2.1)  # nginx counts in whole seconds
        (server.root / "web.sock").rename(server.root / "away")
        answers = [server.ask("/dataset/", headers=headers) for headers in ({}, KNOWN[0])]
        (server.root / "away").rename(server.root / "web.sock")
    assert (answers[0].status, answers[0].text) == (200, cached)
    assert (answers[1].status, answers[1].reason) == (502, "Bad Gateway")


def _of(request: Request, text: str) -> Reply:
    status, headers, _ = echo(request)
    return status, headers, text.encode()
