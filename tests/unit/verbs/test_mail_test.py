"""`dcor-server mail-test`: what the relay said is reported, and whatever went wrong has a name and a hint."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.tls.self_signed import PAIR, SelfSignedCertificate
from dcor_pkg.verbs import mail_test
from tests.unit.command_line import ANSWERS, CommandLine
from tests.unit.verbs.test_mail import Relay, body


def configured(dcor_server: CommandLine, port: int) -> CommandLine:
    """Let the settings name the relay on this port."""
    settings_file.save(dcor_server.machine.host, settings.parse({**ANSWERS, "mail-relay": f"127.0.0.1:{port}"}))
    return dcor_server


@contextmanager
def saying(*replies: bytes) -> Iterator[int]:
    """Listen as a relay that says this, one reply to all that it gets at once, and then nothing; return its port."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            for reply in replies:
                connection.sendall(reply)
                connection.recv(4096)
            while connection.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.fixture
def relay() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


def test_a_mail_that_is_accepted_is_reported_with_the_relays_words(dcor_server: CommandLine, relay: Relay) -> None:
    ended = configured(dcor_server, relay.port)("mail-test")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"The mail relay 127.0.0.1:{relay.port} accepted a mail to admin@example.org: 250 taken\n"
    (message,) = relay.mails
    assert (message["From"], message["To"]) == ("admin@example.org", "admin@example.org")
    assert message["Subject"] == "[dcor.example.org] test of the mail relay"
    assert "dcor-server mail-test" in body(message)


def test_another_address_can_be_given(dcor_server: CommandLine, relay: Relay) -> None:
    ended = configured(dcor_server, relay.port)("mail-test", "--json", "user@example.com")
    assert ended.json == {
        "relay": f"127.0.0.1:{relay.port}",
        "sender": "admin@example.org",
        "recipient": "user@example.com",
        "result": "accepted",
        "answer": "250 taken",
    }
    assert relay.mails[0]["To"] == "user@example.com"


@pytest.mark.parametrize("address", ["user", "user@example.org\nBcc: x@example.org", "a@b c"])
def test_what_is_no_address_is_one_sentence(dcor_server: CommandLine, relay: Relay, address: str) -> None:
    ended = configured(dcor_server, relay.port)("mail-test", address)
    assert (ended.code, "is not an email address" in ended.err, relay.commands) == (1, True, [])


def test_a_refusal_is_reported_with_code_and_text(dcor_server: CommandLine) -> None:
    relay = Relay(refusal="550 5.7.1 relaying denied")
    server = configured(dcor_server, relay.port)
    ended = server("mail-test")
    shown = server("mail-test", "--json")
    relay.close()
    assert (ended.code, ended.out) == (1, "")
    assert "refused a mail from admin@example.org to admin@example.org: 550 5.7.1 relaying denied\n" in ended.err
    assert "Those who run the relay know why" in ended.err
    assert (shown.code, shown.json["result"], shown.json["answer"]) == (1, "refused", "550 5.7.1 relaying denied")


@pytest.mark.parametrize(
    ("replies", "result", "answer"),
    [
        ((b"554 no\r\n",), "refused", "554 no"),
        ((b"HTTP/1.1 400 Bad Request\r\n",), "refused", "/1.1 400 Bad Request"),
        ((b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n552 \x1b[2J\r\n"), "refused", "552 "),
        ((), "time-out", "timed out"),
        ((b"220 x\r\n",), "time-out", "timed out"),
        ((b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n", b"no TLS at all\r\n"), "TLS failure", "SSL"),
    ],
)
def test_each_failure_has_its_name(
    dcor_server: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    replies: tuple[bytes, ...],
    result: str,
    answer: str,
) -> None:
    monkeypatch.setattr(mail_test, "TIMEOUT_SECONDS", 0.3)
    with saying(*replies) as port:
        ended = configured(dcor_server, port)("mail-test", "--json")
    assert (ended.code, ended.json["result"]) == (1, result)
    assert answer in ended.json["answer"]


def test_each_failure_has_a_sentence_and_a_hint(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    server = configured(dcor_server, 25)
    for result in mail_test.REASONS:
        done = mail_test.Attempt("mail:25", "a@example.org", "b@example.org", result, "550 \x1b no")
        monkeypatch.setattr(mail_test, "attempt", lambda *_, done=done: done)
        ended = server("mail-test")
        assert (ended.code, ended.out, "\x1b" in ended.err) == (1, "", False)
        assert "The mail relay mail:25" in ended.err
        assert ended.err.splitlines()[1].strip() == mail_test.HINTS[result]


def test_a_relay_that_is_down_is_no_connection(dcor_server: CommandLine, relay: Relay) -> None:
    relay.close()
    ended = configured(dcor_server, relay.port)("mail-test")
    assert (ended.code, "cannot be reached, or hung up: [Errno 111] Connection refused" in ended.err) == (1, True)


def test_a_relay_that_hangs_up_is_no_connection(dcor_server: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        ended = configured(dcor_server, listener.getsockname()[1])("mail-test", "--json")
        thread.join()
    assert (ended.code, ended.json["result"]) == (1, "no connection")


def test_the_mail_is_encrypted_where_the_relay_offers_it(host: Host, dcor_server: CommandLine) -> None:
    SelfSignedCertificate("relay.example.org").apply(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(host.path(PAIR.certificate), host.path(PAIR.key))
    relay = Relay(tls=context)
    ended = configured(dcor_server, relay.port)("mail-test")
    relay.close()
    assert ended.code == 0, ended
    assert relay.commands.index("STARTTLS") < relay.commands.index("MAIL")


def test_without_a_relay_one_sentence_says_which_setting_is_missing(dcor_server: CommandLine) -> None:
    settings_file.save(dcor_server.machine.host, settings.parse(ANSWERS))
    ended = dcor_server("mail-test")
    assert (ended.code, ended.out) == (1, "")
    assert "because the setting mail-relay is empty" in ended.err
    assert "dcor-server set mail-relay=HOST[:PORT]" in ended.err
