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
from tests.unit.nginx.door import NAME, Door, opened

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
def test_guests_share_a_page(door: Door, page: str) -> None:
    target = fresh(page)
    first = door.ask(target)
    second = door.ask(target, headers={"Cookie": "other=1; dcor=", "User-Agent": "another"})
    assert (first.status, second.body) == (200, first.body)
    assert len(door.ckan.seen) == 1


def test_nothing_of_a_guests_request_reaches_ckan(door: Door) -> None:
    """So what one guest sends cannot change what all others see."""
    poison = {"X-Forwarded-Host": "evil", "Accept-Language": "de", "Origin": "https://evil", "Cookie": "a=b"}
    door.ask(fresh("/dataset/"), headers={**poison, "X-Forwarded-For": "6.6.6.6", "User-Agent": "evil"})
    (request,) = door.ckan.seen
    told = {name: value for name, value in request.items() if name.startswith("HTTP_")}
    assert told == {"HTTP_HOST": "dcor.example.org", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}


def test_guests_get_no_session(door: Door) -> None:
    """A session would end their being guests; and it would take the place of one that a browser did not send along."""
    headers = door.ask(fresh("/dataset/")).headers
    assert "set-cookie" not in headers
    assert headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("page", ["/", "/dataset/name"])
def test_a_page_of_somebody_is_not_kept_and_not_taken_from_what_is_kept(
    door: Door, page: str, known: Mapping[str, str]
) -> None:
    target = fresh(page)
    door.ckan.say = lambda request: _of(request, "of somebody")
    assert [door.ask(target, headers=known).text for _ in range(2)] == ["of somebody"] * 2
    door.ckan.say = lambda request: _of(request, "of a guest")
    assert door.ask(target).text == "of a guest"
    door.ckan.say = lambda request: _of(request, "of somebody again")
    answer = door.ask(target, headers=known)
    assert (answer.text, answer.headers["cache-control"]) == ("of somebody again", "private, no-cache")
    assert door.ask(target).text == "of a guest"
    assert len(door.ckan.seen) == 4


@pytest.mark.parametrize(
    "page", ["/user/login", "/user/reset", "/dashboard/datasets", "/ckan-admin/", "/api/3/action/x"]
)
def test_what_has_forms_or_is_of_somebody_is_made_each_time(door: Door, page: str) -> None:
    """The form for signing in needs the session that comes with it, as the token in it is the session's."""
    target = fresh(page)
    assert ["set-cookie" in door.ask(target).headers for _ in range(2)] == [True, True]
    assert len(door.ckan.seen) == 2
    assert door.ask(target).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "status",
    ["404 NOT FOUND", "403 FORBIDDEN", "302 FOUND", "301 MOVED PERMANENTLY", "308 PERMANENT REDIRECT", "500 OH"],
)
def test_only_what_succeeds_is_kept(door: Door, status: str) -> None:
    target = fresh("/dataset/name")
    door.ckan.say = lambda request: (status, {"Location": "/user/login"}, b"")
    assert door.ask(target).status == int(status[:3])
    door.ckan.say = echo
    assert door.ask(target).status == 200


def test_a_head_is_not_kept(door: Door) -> None:
    target = fresh("/about")
    assert door.ask(target, "HEAD").body == b""
    assert door.ask(target).body != b""


DATA = ["download/a.rtdc", "download", "condensed.rtdc", "preview.jpg"]


@pytest.mark.parametrize("name", DATA)
def test_data_are_not_kept(door: Door, name: str) -> None:
    target = fresh(f"/dataset/a/resource/b/{name}")
    assert [door.ask(target).status for _ in range(2)] == [200] * 2
    assert len(door.ckan.seen) == 2


@pytest.mark.parametrize("name", DATA)
def test_data_do_not_pass_over_the_disk(door: Door, name: str) -> None:
    """Who reads slowly makes CKAN send slowly: nginx does not take the whole file meanwhile."""
    door.ckan.say = lambda request: ("200 OK", {}, b"x" * 50_000_000)
    target = fresh(f"/dataset/a/resource/b/{name}")
    with door.connect() as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        assert connection.recv(5) == b"HTTP/"
        time.sleep(0.3)  # in which 50 MB would be on the disk
        assert f"GET {target}" not in door.ckan.done
        assert [path for path in (door.root / "uwsgi").rglob("*") if path.is_file()] == []


def test_assets_are_kept_for_all(door: Door) -> None:
    target = fresh("/webassets/base/0123_main.css")
    answers = [door.ask(target, headers=headers) for headers in ({}, *KNOWN)]
    assert {answer.body for answer in answers} == {answers[0].body}
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=86400"}
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert len(door.ckan.seen) == 1
    assert "HTTP_COOKIE" not in door.ckan.seen[0]


def test_assets_are_compressed(door: Door) -> None:
    door.ckan.say = lambda request: ("200 OK", {"Content-Type": "text/css"}, b"a { color: red; }" * 1000)
    answer = door.ask(fresh("/base/css/main.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.body) < 2000


@pytest.mark.parametrize("page", ["/dataset/", "/base/a.js"])
def test_ckans_own_headers_do_not_rule_what_is_kept(door: Door, page: str) -> None:
    """`no-store` and `private` of CKAN are no obstacle to sharing a page that was made for nobody."""
    target = fresh(page)
    door.ckan.say = lambda request: ("200 OK", {"Cache-Control": "private, no-store", "Vary": "*"}, b"same")
    door.ask(target)
    door.ask(target)
    assert len(door.ckan.seen) == 1


def test_while_ckan_is_down_guests_see_what_was_kept() -> None:
    """And somebody whom CKAN knows hears of it."""
    soon = "200 1m;", "200 1s;"
    with (
        TemporaryDirectory(prefix="door") as place,
        opened(Host(Path(place)), lambda site: site.replace(*soon)) as door,
    ):
        kept = door.ask("/dataset/").text
        time.sleep(2.1)  # nginx counts in whole seconds
        (door.root / "web.sock").rename(door.root / "away")
        answers = [door.ask("/dataset/", headers=headers) for headers in ({}, KNOWN[0])]
        (door.root / "away").rename(door.root / "web.sock")
    assert (answers[0].status, answers[0].text) == (200, kept)
    assert (answers[1].status, answers[1].reason) == (502, "Bad Gateway")


def _of(request: Request, text: str) -> Reply:
    status, headers, _ = echo(request)
    return status, headers, text.encode()
