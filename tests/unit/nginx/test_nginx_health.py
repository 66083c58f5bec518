"""/healthz says up or down to the networks of a setting, and nothing else, to nobody else."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import site as nginx
from tests.unit.nginx.backends import Reply, Request
from tests.unit.nginx.nginx_server import ADDRESS_HEADER, SETTINGS, Answer, NginxServer, opened

ACTION = "/api/3/action/vocabulary_list"
ELSEWHERE = {ADDRESS_HEADER: "192.0.2.7"}


def replying(status: str) -> Callable[[Request], Reply]:
    return lambda _: (status, {"Content-Type": "application/json", "Set-Cookie": "dcor=x"}, b'{"success": true}')


@contextmanager
def nginx_for(health_from: str, edit: Callable[[str], str] = str) -> Iterator[NginxServer]:
    """Run nginx with this setting."""
    settings = dataclasses.replace(SETTINGS, health_from=health_from)
    with TemporaryDirectory(prefix="nginx") as directory, opened(Host(root=Path(directory)), edit, settings) as server:
        yield server


def assert_plain(answer: Answer, status: int, word: str) -> None:
    """Assert that an answer is one word, and that nobody keeps it."""
    assert (answer.status, answer.text, answer.headers["content-type"]) == (status, f"{word}\n", "text/plain")
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.headers) == {"server", "date", "content-type", "content-length", "connection", "cache-control"}


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_the_server_is_up_when_ckan_answers_a_request(server: NginxServer, accept: str) -> None:
    server.ckan.respond = replying("200 OK")
    answer = server.ask("/healthz", headers={"Accept": accept, "Cookie": "dcor=session", "Authorization": "token"})
    assert_plain(answer, 200, "up")
    request = server.ckan.only
    assert (request["REQUEST_METHOD"], request["REQUEST_URI"], request["PATH_INFO"]) == ("GET", ACTION, ACTION)
    assert (request["HTTP_HOST"], request["QUERY_STRING"]) == ("dcor.example.org", "")
    assert not {"HTTP_COOKIE", "HTTP_AUTHORIZATION"} & set(request)


def test_only_the_head_is_sent_where_that_is_asked_for(server: NginxServer) -> None:
    server.ckan.respond = replying("200 OK")
    assert (server.ask("/healthz", "HEAD").status, server.ask("/healthz", "HEAD").body) == (200, b"")
    assert server.ckan.seen[0]["REQUEST_METHOD"] == "GET"


@pytest.mark.parametrize(
    "status", ["500 Internal Server Error", "503 Service Unavailable", "404 Not Found", "302 Found"]
)
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_it_is_down_when_ckan_answers_otherwise(server: NginxServer, status: str, accept: str) -> None:
    server.ckan.respond = replying(status)
    assert_plain(server.ask("/healthz", headers={"Accept": accept}), 503, "down")
    assert len(server.ckan.seen) == 1, "What fails is not asked twice."


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_it_is_down_while_all_requests_are_answered_with_503(server: NginxServer, accept: str) -> None:
    host = Host(root=server.root)
    host.write(nginx.MAINTENANCE, "", Access(0o644))
    try:
        answer = server.ask("/healthz", headers={"Accept": accept})
        elsewhere = server.ask("/healthz", headers=ELSEWHERE)
    finally:
        host.remove(nginx.MAINTENANCE)
    assert_plain(answer, 503, "down")
    assert elsewhere.status == 403
    assert server.ckan.seen == []


def test_it_is_down_when_nobody_listens() -> None:
    with nginx_for("all") as server:
        socket, aside = server.root / "web.sock", server.root / "aside"
        socket.rename(aside)
        answer = server.ask("/healthz")
        aside.rename(socket)
    assert_plain(answer, 503, "down")


def test_it_is_down_within_seconds_when_ckan_does_not_answer() -> None:
    def hang(_: Request) -> Reply:
        time.sleep(2)
        return replying("200 OK")(_)

    with nginx_for("all", lambda text: text.replace("uwsgi_read_timeout 3s", "uwsgi_read_timeout 300ms")) as server:
        server.ckan.respond = hang
        begun = time.monotonic()
        assert_plain(server.ask("/healthz"), 503, "down")
        assert time.monotonic() - begun < 2


def test_by_default_only_the_machine_itself_may_ask(server: NginxServer) -> None:
    assert server.ask("/healthz", headers=ELSEWHERE).status == 403
    assert server.ask("/healthz", headers={ADDRESS_HEADER: "2001:db8::1"}).status == 403
    assert server.ask("/healthz", headers={ADDRESS_HEADER: "::1"}).status == 200
    assert len(server.ckan.seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(server: NginxServer, method: str) -> None:
    assert server.ask("/healthz", method, body=b"x").status == 403
    assert server.ckan.seen == []


@pytest.mark.parametrize("target", ["/.dcor/health", "/healthz/", "/de/healthz", "/healthz.html"])
def test_there_is_no_other_address(server: NginxServer, target: str) -> None:
    assert server.ask(target).status == 404
    assert server.ckan.seen == []


def test_the_networks_of_the_setting_may_ask_and_no_others() -> None:
    with nginx_for("192.0.2.0/24,2001:db8::/32") as server:
        for address, status in {"192.0.2.7": 200, "2001:db8::1": 200, "198.51.100.1": 403, "127.0.0.1": 403}.items():
            assert server.ask("/healthz", headers={ADDRESS_HEADER: address}).status == status


def test_all_may_ask_or_none() -> None:
    with nginx_for("all") as server:
        assert_plain(server.ask("/healthz", headers=ELSEWHERE), 200, "up")
    with nginx_for("none") as server:
        assert server.ask("/healthz").status == 404
        assert server.ckan.seen == []
