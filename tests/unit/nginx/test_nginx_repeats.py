"""What only reads is repeated once where CKAN lost its process; what writes is not, for it may have been done."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from tests.unit.nginx.backends import Reply, Request
from tests.unit.nginx.nginx_server import NginxServer

SEARCH = "/api/3/action/package_search?rows=1"
WRITE = "/api/3/action/package_create"
GOOD = "200 OK"


class Killed:
    """Stands for a worker that is killed while it works on a request; those after it are answered."""

    def __init__(self, *replies: str | None) -> None:
        self._replies: Iterator[str | None] = chain(replies, repeat(GOOD))

    def __call__(self, request: Request) -> Reply:
        status = next(self._replies)
        if status is None:
            raise OSError("the connection breaks before the answer")
        return status, {"Content-Type": "application/json"}, b"{}"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("lost", [None, "500 Internal Server Error"])
def test_a_read_is_repeated(server: NginxServer, method: str, lost: str | None) -> None:
    server.ckan.respond = Killed(lost)
    assert (server.ask(SEARCH, method).status, len(server.ckan.seen)) == (200, 2)


def test_a_page_is_repeated_as_well(server: NginxServer) -> None:
    server.ckan.respond = Killed(None)
    assert (server.ask("/dataset/", headers={"Cookie": "dcor=x"}).status, len(server.ckan.seen)) == (200, 2)


@pytest.mark.parametrize(("lost", "status"), [(None, 502), ("500 Internal Server Error", 500)])
def test_a_read_is_repeated_once_only(server: NginxServer, lost: str | None, status: int) -> None:
    server.ckan.respond = Killed(*[lost] * 9)
    assert (server.ask(SEARCH).status, len(server.ckan.seen)) == (status, 2)


@pytest.mark.parametrize(("lost", "status"), [(None, 502), ("500 Internal Server Error", 500)])
def test_a_write_is_not_repeated(server: NginxServer, lost: str | None, status: int) -> None:
    server.ckan.respond = Killed(lost)
    assert (server.ask(WRITE, "POST", body=b"{}").status, len(server.ckan.seen)) == (status, 1)


def test_an_answer_that_is_an_error_of_the_request_is_not_repeated(server: NginxServer) -> None:
    server.ckan.respond = Killed("409 Conflict")
    assert (server.ask(SEARCH).status, len(server.ckan.seen)) == (409, 1)
