"""A new mail server is greeted before it is saved: one that is silent, away, or no mail server is an invalid answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from dcor_pkg import preflight
from dcor_pkg.answers import settings
from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host
from dcor_pkg.services import mail_relay

NONE = settings.parse({"hostname": "dcor.example.org"})


@contextmanager
def relay(*replies: bytes) -> Iterator[str]:
    """Listen as a mail server that gives these replies, the first unasked, and then waits for the client to leave."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, replies))
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(timeout=10)
        assert not thread.is_alive()


def _serve(server: socket.socket, replies: tuple[bytes, ...]) -> None:
    connection, _ = server.accept()
    with connection:
        for number, reply in enumerate(replies):
            if number:
                connection.recv(1024)
            connection.sendall(reply)
        while connection.recv(1024):
            pass


def check(host: Host, address: str, before: str | None = None) -> None:
    earlier = None if before is None else replace(NONE, mail_relay=before)
    mail_relay.check_mail_relay(host, Proposal(earlier, replace(NONE, mail_relay=address), {}))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_relay, "TIMEOUT_SECONDS", 0.2)


def test_a_change_of_the_settings_is_checked_but_not_each_converge() -> None:
    assert mail_relay.check_mail_relay in preflight.CHANGE
    assert mail_relay.check_mail_relay not in preflight.MACHINE


@pytest.mark.parametrize("before", [None, "", "mail.example.org"])
def test_a_server_that_answers_the_greeting_is_accepted(host: Host, before: str | None) -> None:
    with relay(b"220 mail ESMTP\r\n", b"250 mail\r\n", b"221 bye\r\n") as address:
        check(host, address, before)


def test_an_old_server_that_knows_helo_alone_is_accepted(host: Host) -> None:
    with relay(b"220 mail\r\n", b"502 what?\r\n", b"250 mail\r\n", b"221 bye\r\n") as address:
        check(host, address)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("replies", [(), (b"220 mail ESMTP\r\n",)], ids=["nothing", "a banner"])
def test_a_server_that_then_says_nothing_is_invalid(host: Host, replies: tuple[bytes, ...]) -> None:
    with relay(*replies) as address, pytest.raises(InvalidAnswer, match="timed out") as invalid:
        check(host, address)
    assert invalid.value.key == "mail-relay"


def test_another_kind_of_server_is_invalid(host: Host) -> None:
    with relay(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address, pytest.raises(InvalidAnswer, match="mail-relay"):
        check(host, address)


def test_a_server_that_rejects_the_greeting_is_invalid(host: Host) -> None:
    replies = (b"220 mail\r\n", b"550 go away\r\n", b"550 go away\r\n", b"221 bye\r\n")
    with relay(*replies) as address, pytest.raises(InvalidAnswer, match="go away"):
        check(host, address)


def test_no_server_is_invalid(host: Host) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(InvalidAnswer, match="Connection refused"):
        check(host, address)


def test_a_server_that_is_not_new_and_none_at_all_are_not_asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(mail_relay, "_greet")
    check(host, "mail.example.org", before="mail.example.org")
    check(host, "", before="mail.example.org")
