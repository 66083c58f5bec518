"""One client, and requests that take long, leave room for all others; a class behind one address meets no limit."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import limits
from dcor_pkg.nginx.limits import CLASS
from tests.unit.nginx.backends import Backend, Reply, Request, echo, until
from tests.unit.nginx.clients import at_once, new_address, statuses
from tests.unit.nginx.nginx_server import (
    ADDRESS_HEADER,
    DATASET,
    NAME,
    RESOURCE,
    SETTINGS,
    Answer,
    NginxServer,
    facts,
    opened,
)
from tests.unit.nginx.stored import BUCKET, OBJECT, SIGNED

WORKERS = limits.workers(SETTINGS, facts((1, 22, 1)))
SLOTS = limits.slow_slots(WORKERS)
RETRY_AFTER = str(limits.RETRY_AFTER_SECONDS)
DCSERV = f"/api/3/action/dcserv?id={RESOURCE}&query=metadata"
LOG = f"/dataset/{DATASET}/resource/{RESOURCE}/view/{RESOURCE}"
SLOW = [
    DCSERV,
    f"/de/api/action/dcserv?query=logs&id={RESOURCE}",
    LOG,
    f"/de{LOG}",
    f"/dataset/{DATASET}/resource/{RESOURCE}?view_id={RESOURCE}",
]


def post(server: NginxServer, target: str, address: dict[str, str]) -> Callable[[], Answer]:
    """Return a function that sends a form."""
    headers = {**address, "Cookie": "dcor=session", "Content-Type": "application/x-www-form-urlencoded"}
    return lambda: server.ask(target, "POST", headers, b"login=a&password=b")


def get(server: NginxServer, target: str, address: dict[str, str]) -> Callable[[], Answer]:
    """Return a function that reads a page, as a user."""
    return lambda: server.ask(target, headers={**address, "Cookie": "dcor=session"})


@contextmanager
def in_progress(backend: Backend, requests: list[Callable[[], Answer]]) -> Iterator[list[Answer]]:
    """Send requests that are answered only at the end of the block; then their answers are in the list.

    Requests that arrive at the backend after these are answered at once.
    """
    released, answers = threading.Event(), list[Answer]()

    def respond(request: Request) -> Reply:
        if len(backend.seen) <= len(requests):
            released.wait(20)
        return echo(request)

    backend.respond = respond
    threads = [threading.Thread(target=lambda call=call: answers.append(call())) for call in requests]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(backend.seen) == len(requests), timeout_seconds=15)
        yield answers
    finally:
        released.set()
        for thread in threads:
            thread.join(20)


def test_many_passwords_from_one_address_are_slowed(server: NginxServer) -> None:
    """Sent 10 times a second, as they were in an attack."""
    address, answers = new_address(), []
    begin = time.monotonic()
    for number in range(40):
        answers.append(post(server, ("/user/login", "/de/user/login")[number % 2], address)())
        time.sleep(max(0.0, begin + number * 0.1 - time.monotonic()))
    counted = statuses(answers)
    assert 20 <= counted[200] <= 30
    assert counted[429] == 40 - counted[200]
    assert answers[-1].headers["retry-after"] == RETRY_AFTER
    assert len(server.ckan.seen) == counted[200]
    assert post(server, "/user/login", new_address())().status == 200
    # as fail2ban's filter nginx-limit-req of Debian 12 expects it
    logged = rf'limiting requests, excess: [0-9.]+ by zone "dcor_sign_in", client: {address[ADDRESS_HEADER]},'
    assert re.search(logged, (server.root / "error.log").read_text())


def test_a_class_signs_in(server: NginxServer) -> None:
    """Half of them at once, the others two a second, so all within ten seconds; everybody has read the form before."""
    address = new_address()
    assert statuses(at_once([get(server, "/user/login", address)] * CLASS)) == {200: CLASS}
    assert statuses(at_once([post(server, "/user/login", address)] * (CLASS // 2))) == {200: CLASS // 2}
    for _ in range(6):
        assert post(server, "/user/login", address)().status == 200
        time.sleep(0.5)


def test_in_the_long_run_few_passwords_are_tried() -> None:
    """A class and half of it again at once, and then ten a minute."""
    soon = "zone=dcor_sign_in burst=20", "zone=dcor_sign_in burst=1000"
    with (
        TemporaryDirectory(prefix="nginx") as place,
        opened(Host(Path(place)), lambda site: site.replace(*soon)) as server,
    ):
        answers = [post(server, "/user/login", {})() for _ in range(CLASS * 2)]
    assert statuses(answers[: CLASS * 3 // 2]) == {200: CLASS * 3 // 2}
    assert statuses(answers[CLASS * 3 // 2 + 4 :]) == {429: CLASS // 2 - 4}


@pytest.mark.parametrize("target", ["/user/reset", "/de/user/reset"])
def test_a_class_asks_for_new_passwords_and_nobody_asks_without_end(server: NginxServer, target: str) -> None:
    address = new_address()
    answers = [post(server, target, address)() for _ in range(CLASS + 10)]
    assert statuses(answers[:CLASS]) == {200: CLASS}
    assert answers[-1].status == 429
    assert get(server, "/user/reset", address)().status == 200


def test_addresses_of_one_ipv6_network_are_one_client(server: NginxServer) -> None:
    def reset(address: str) -> int:
        return post(server, "/user/reset", {ADDRESS_HEADER: address})().status

    assert {reset(f"2001:db8:0:a::{number:x}") for number in range(CLASS)} == {200}
    assert [reset(f"2001:db8:0:a:{number}::") for number in range(1, 8)][-1] == 429
    assert reset("2001:db8:0:b::1") == 200


@pytest.mark.parametrize("target", SLOW)
def test_slow_requests_do_not_take_all_workers(server: NginxServer, target: str) -> None:
    """Whoever sends them, with a token, a session or none of them."""
    with in_progress(server.ckan, [get(server, target, new_address())] * SLOTS) as answers:
        for headers in ({}, {"Authorization": "a-token"}, {"Cookie": "dcor=session"}):
            answer = server.ask(target, headers={**headers, **new_address()})
            assert (answer.status, answer.headers["retry-after"]) == (503, RETRY_AFTER)
            assert not answer.text.startswith("{")
        assert len(server.ckan.seen) == SLOTS
        for other in ("/dataset/?q=a", "/user/login", "/api/3/action/package_search"):
            assert get(server, other, new_address())().status == 200
        assert answers == []
    assert statuses(answers) == {200: SLOTS}
    assert get(server, target, new_address())().status == 200


def test_slow_requests_by_post_count_as_well(server: NginxServer) -> None:
    with in_progress(server.ckan, [post(server, "/api/3/action/dcserv", new_address())] * SLOTS):
        assert get(server, DCSERV, new_address())().status == 503


def test_a_slow_request_counts_after_its_client_has_disconnected(server: NginxServer) -> None:
    """CKAN completes it."""

    def disconnected() -> Answer:
        with server.connect() as connection:
            connection.sendall(f"GET {DCSERV} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            time.sleep(0.3)
        return Answer(0)

    with in_progress(server.ckan, [disconnected] * SLOTS) as answers:
        until(lambda: len(answers) == SLOTS)
        time.sleep(0.2)  # time in which nginx sees that they have disconnected
        assert get(server, DCSERV, new_address())().status == 503
    until(lambda: len(server.ckan.done) == SLOTS)


def test_a_mail_relay_that_does_not_answer_takes_one_worker(server: NginxServer) -> None:
    with in_progress(server.ckan, [post(server, "/user/reset", new_address())]):
        assert statuses(at_once([post(server, "/user/reset", new_address())] * 4)) == {503: 4}
        assert get(server, DCSERV, new_address())().status == 200
        assert post(server, "/user/login", new_address())().status == 200


def test_a_class_opens_measurements_at_once(server: NginxServer) -> None:
    """Each with dclab, which tries again up to four times, after a second, if the answer is not JSON."""

    def new_dataset() -> Answer:
        for _ in range(5):
            answer = server.ask(DCSERV, headers=address)
            if answer.text.startswith("{"):
                return answer
            time.sleep(1)
        return answer

    address = new_address()
    assert statuses(at_once([new_dataset] * CLASS)) == {200: CLASS}


def test_requests_that_wait_for_their_turn_occupy_no_slot() -> None:
    """Four a second, so that a busy computer answers each before the next but one has its turn."""
    with (
        TemporaryDirectory(prefix="nginx") as place,
        opened(
            Host(Path(place)), lambda site: site.replace("dcor_dcserv:10m rate=20r/s", "dcor_dcserv:10m rate=4r/s")
        ) as server,
    ):
        answers = at_once([get(server, DCSERV, {})] * 4 * SLOTS)
    assert statuses(answers) == {200: 4 * SLOTS}


def test_a_class_looks_at_pages_and_files_at_once(server: NginxServer) -> None:
    address = new_address()
    for target in ("/dataset/", f"/dataset/{DATASET}/resource/{RESOURCE}", f"{LOG}"):
        assert statuses(at_once([get(server, target, address)] * CLASS)) == {200: CLASS}
    assets = [get(server, f"/webassets/base/{number}.js", address) for number in range(5)]
    assert statuses(at_once(assets * CLASS)) == {200: 5 * CLASS}


def test_one_client_cannot_fill_the_queue_of_ckan(server: NginxServer) -> None:
    """The queue has 100 places."""
    address = new_address()
    with in_progress(server.ckan, [get(server, "/user/me", address)] * (2 * CLASS)) as answers:
        answer = get(server, "/dataset/", address)()
        assert (answer.status, answer.headers["retry-after"]) == (503, RETRY_AFTER)
        assert get(server, "/dataset/", new_address())().status == 200
        assert get(server, "/base/a.css", address)().status == 200
        assert server.ask(f"{OBJECT}?{SIGNED}", headers=address).status == 200
    assert statuses(answers) == {200: 2 * CLASS}


def test_one_client_has_a_limit_of_connections_to_the_store(server: NginxServer) -> None:
    address, number = new_address(), 6 * CLASS
    requests = [lambda: server.ask(f"{OBJECT}?{SIGNED}", headers=address)] * number
    with in_progress(server.s3, requests) as answers:
        for target in (f"/{BUCKET}?{SIGNED}", OBJECT):
            answer = server.ask(target, headers=address)
            assert (answer.status, answer.headers["retry-after"]) == (503, RETRY_AFTER)
        assert get(server, "/dataset/", address)().status == 200
        assert server.ask(f"/{BUCKET}?{SIGNED}", headers=new_address()).status == 200
    assert statuses(answers) == {200: number}
