"""What nginx keeps: pages for guests, never one of somebody whom CKAN knows; assets; nothing else."""

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

#: Each test has addresses of its own: what nginx keeps, it keeps for all of them.
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


def fresh(page: str) -> str:
    """Return an address that nobody has asked for before."""
    return f"{page}?n={next(NUMBERS)}"


@pytest.mark.parametrize("page", PAGES)
def test_guests_share_a_page(server: NginxServer, page: str) -> None:
    target = fresh(page)
    first = server.ask(target)
    second = server.ask(target, headers={"Cookie": "other=1; dcor=", "User-Agent": "another"})
    assert (first.status, second.body) == (200, first.body)
    assert len(server.ckan.seen) == 1


def test_nothing_of_a_guests_request_reaches_ckan(server: NginxServer) -> None:
    """So what one guest sends cannot change what all others see."""
    poison = {"X-Forwarded-Host": "evil", "Accept-Language": "de", "Origin": "https://evil", "Cookie": "a=b"}
    server.ask(fresh("/dataset/"), headers={**poison, "X-Forwarded-For": "6.6.6.6", "User-Agent": "evil"})
    (request,) = server.ckan.seen
    told = {name: value for name, value in request.items() if name.startswith("HTTP_")}
    assert told == {"HTTP_HOST": "dcor.example.org", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}


def test_guests_get_no_session(server: NginxServer) -> None:
    """A session would end their being guests; and it would take the place of one that a browser did not send along."""
    headers = server.ask(fresh("/dataset/")).headers
    assert "set-cookie" not in headers
    assert headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("page", ["/", "/dataset/name"])
def test_a_page_of_somebody_is_not_kept_and_not_taken_from_what_is_kept(
    server: NginxServer, page: str, known: Mapping[str, str]
) -> None:
    target = fresh(page)
    server.ckan.say = lambda request: _of(request, "of somebody")
    assert [server.ask(target, headers=known).text for _ in range(2)] == ["of somebody"] * 2
    server.ckan.say = lambda request: _of(request, "of a guest")
    assert server.ask(target).text == "of a guest"
    server.ckan.say = lambda request: _of(request, "of somebody again")
    answer = server.ask(target, headers=known)
    assert (answer.text, answer.headers["cache-control"]) == ("of somebody again", "private, no-cache")
    assert server.ask(target).text == "of a guest"
    assert len(server.ckan.seen) == 4


@pytest.mark.parametrize(
    "page", ["/user/login", "/user/reset", "/dashboard/datasets", "/ckan-admin/", "/api/3/action/x"]
)
def test_what_has_forms_or_is_of_somebody_is_made_each_time(server: NginxServer, page: str) -> None:
    """The form for signing in needs the session that comes with it, as the token in it is the session's."""
    target = fresh(page)
    assert ["set-cookie" in server.ask(target).headers for _ in range(2)] == [True, True]
    assert len(server.ckan.seen) == 2
    assert server.ask(target).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "status",
    ["404 NOT FOUND", "403 FORBIDDEN", "302 FOUND", "301 MOVED PERMANENTLY", "308 PERMANENT REDIRECT", "500 OH"],
)
def test_only_what_succeeds_is_kept(server: NginxServer, status: str) -> None:
    target = fresh("/dataset/name")
    server.ckan.say = lambda request: (status, {"Location": "/user/login"}, b"")
    assert server.ask(target).status == int(status[:3])
    server.ckan.say = echo
    assert server.ask(target).status == 200


def test_a_head_is_not_kept(server: NginxServer) -> None:
    target = fresh("/about")
    assert server.ask(target, "HEAD").body == b""
    assert server.ask(target).body != b""


DATA = ["download/a.rtdc", "download", "condensed.rtdc", "preview.jpg"]


@pytest.mark.parametrize("name", DATA)
def test_data_are_not_kept(server: NginxServer, name: str) -> None:
    target = fresh(f"/dataset/a/resource/b/{name}")
    assert [server.ask(target).status for _ in range(2)] == [200] * 2
    assert len(server.ckan.seen) == 2


@pytest.mark.parametrize("name", DATA)
def test_data_do_not_pass_over_the_disk(server: NginxServer, name: str) -> None:
    """Who reads slowly makes CKAN send slowly: nginx does not take the whole file meanwhile."""
    server.ckan.say = lambda request: ("200 OK", {}, b"x" * 50_000_000)
    target = fresh(f"/dataset/a/resource/b/{name}")
    with server.connect() as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert connection.recv(5) == b"HTTP/"
        time.sleep(0.3)  # in which 50 MB would be on the disk
        assert f"GET {target}" not in server.ckan.done
        assert [path for path in (server.root / "uwsgi").rglob("*") if path.is_file()] == []


def test_assets_are_kept_for_all(server: NginxServer) -> None:
    target = fresh("/webassets/base/0123_main.css")
    answers = [server.ask(target, headers=headers) for headers in ({}, *KNOWN)]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=86400"}
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert len(server.ckan.seen) == 1
    assert "HTTP_COOKIE" not in server.ckan.seen[0]


def test_assets_are_compressed(server: NginxServer) -> None:
    server.ckan.say = lambda request: ("200 OK", {"Content-Type": "text/css"}, b"a { color: red; }" * 1000)
    answer = server.ask(fresh("/base/css/main.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 2000


@pytest.mark.parametrize("page", ["/dataset/", "/base/a.js"])
def test_ckans_own_headers_do_not_rule_what_is_kept(server: NginxServer, page: str) -> None:
    """`no-store` and `private` of CKAN are no obstacle to sharing a page that was made for nobody."""
    target = fresh(page)
    server.ckan.say = lambda request: ("200 OK", {"Cache-Control": "private, no-store", "Vary": "*"}, b"same")
    server.ask(target)
    server.ask(target)
    assert len(server.ckan.seen) == 1


def test_while_ckan_is_down_guests_see_what_was_kept() -> None:
    """And somebody whom CKAN knows hears of it."""
    soon = "200 1m;", "200 1s;"
    with (
        TemporaryDirectory(prefix="nginx") as place,
        opened(Host(Path(place)), lambda site: site.replace(*soon)) as server,
    ):
        kept = server.ask("/dataset/").text
        time.sleep(2.1)  # nginx counts in whole seconds
        (server.root / "web.sock").rename(server.root / "away")
        answers = [server.ask("/dataset/", headers=headers) for headers in ({}, KNOWN[0])]
        (server.root / "away").rename(server.root / "web.sock")
    assert (answers[0].status, answers[0].text) == (200, kept)
    assert (answers[1].status, answers[1].reason) == (502, "Bad Gateway")


def _of(request: Request, text: str) -> Reply:
    status, headers, _ = echo(request)
    return status, headers, text.encode()
