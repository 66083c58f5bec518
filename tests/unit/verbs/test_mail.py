"""`dcor-server report-failure`: the administrator gets a mail about a unit, and not each hour the same one."""

from __future__ import annotations

import email
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.message import Message

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls.self_signed import PAIR, SelfSignedCertificate
from dcor_pkg.verbs import mail
from tests.unit.command_line import ANSWERS, CommandLine

UNIT, ANOTHER = "dcor-converge.service", "dcor-nightly.service"
JOURNAL = "".join(f"line {number}\n" for number in range(1, 61))


class Relay:
    """A mail relay on a free port of this machine (RFC 5321); with `tls` it offers STARTTLS (RFC 3207)."""

    def __init__(self, tls: ssl.SSLContext | None = None, refusal: str = "") -> None:
        self.tls, self.refusal = tls, refusal
        self.mails: list[Message] = []
        #: the commands of each session
        self.commands: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """End the thread that serves."""
        if self._thread.is_alive():
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"220 relay\r\n")
                self._session(connection)

    def _session(self, connection: socket.socket) -> None:
        file = connection.makefile("rwb", buffering=0)
        while line := file.readline().decode():
            command = line.split()[0].upper()
            self.commands.append(command)
            if command == "EHLO":
                file.write(b"250-relay\r\n250 STARTTLS\r\n" if self.tls else b"250 relay\r\n")
            elif command == "STARTTLS" and self.tls:
                file.write(b"220 go on\r\n")
                context, self.tls = self.tls, None
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    self._session(encrypted)
                return
            elif command == "DATA":
                file.write(b"354 go on\r\n")
                self.mails.append(self._read_mail(iter(file.readline, b".\r\n")))
                file.write(b"250 taken\r\n")
            elif command == "RCPT" and self.refusal:
                file.write(f"{self.refusal}\r\n".encode())
            else:
                file.write(b"221 bye\r\n" if command == "QUIT" else b"250 ok\r\n")

    def _read_mail(self, lines: Iterator[bytes]) -> Message:
        return email.message_from_bytes(b"".join(lines))


@pytest.fixture
def relay() -> Iterator[Relay]:
    """Return a relay that takes each mail."""
    relay = Relay()
    yield relay
    relay.close()


def configure(dcor_server: CommandLine, relay: Relay) -> CommandLine:
    """Let the settings name this relay, and a unit have failed."""
    answers = {**ANSWERS, "mail-relay": f"127.0.0.1:{relay.port}"}
    settings_file.save(dcor_server.machine.host, settings.parse(answers))
    dcor_server.machine.systemd.journal[UNIT] = JOURNAL
    return dcor_server


@pytest.mark.parametrize("sent", ["", "x\n", "1e12\n"])
def test_a_time_of_the_last_mail_that_cannot_be_true_keeps_no_mail_back(
    dcor_server: CommandLine, relay: Relay, sent: str
) -> None:
    """A clock that was ahead would else keep all mails back until then."""
    server = configure(dcor_server, relay)
    server.machine.host.write(f"{mail.SENT}/{UNIT}", sent, Access(0o600))
    assert server("report-failure", UNIT).code == 0
    assert len(relay.mails) == 1


def body(message: Message) -> str:
    """Return the text of a mail."""
    return str(message.get_payload()).replace("\r\n", "\n")


def test_the_mail_names_unit_and_server_and_has_the_last_lines_of_the_journal(
    dcor_server: CommandLine, relay: Relay
) -> None:
    ended = configure(dcor_server, relay)("report-failure", UNIT)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"A mail about {UNIT} was sent to admin@example.org through 127.0.0.1:{relay.port}.\n"
    (message,) = relay.mails
    assert message["To"] == message["From"] == "admin@example.org"
    assert message["Subject"] == f"[dcor.example.org] {UNIT} has failed"
    assert message["Auto-Submitted"] == "auto-generated"
    text = body(message)
    assert f"The unit {UNIT} on dcor.example.org has failed." in text
    assert "line 10\n" not in text
    assert "line 11\n" in text
    assert "line 60\n" in text
    assert "`dcor-server status` on dcor.example.org shows the state of the server." in text


def test_about_each_unit_one_mail_is_sent_within_20_hours(
    dcor_server: CommandLine, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = configure(dcor_server, relay)
    for unit in (UNIT, UNIT, ANOTHER):
        ended = report("report-failure", unit)
        assert ended.code == 0
    assert [message["Subject"].split()[1] for message in relay.mails] == [UNIT, ANOTHER]
    assert report("report-failure", "--json", UNIT).json == {
        "message": f"No mail about {UNIT} was sent: admin@example.org got one within the last 20 hours."
    }
    tomorrow = time.time() + 86400
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    report("report-failure", UNIT)
    assert len(relay.mails) == 3


def test_without_a_relay_nothing_is_sent_and_the_message_says_which_setting_is_missing(
    dcor_server: CommandLine,
) -> None:
    settings_file.save(dcor_server.machine.host, settings.parse(ANSWERS))
    ended = dcor_server("report-failure", UNIT)
    assert ended.code == 0
    assert ended.out.startswith(f"No mail about {UNIT} was sent, because the setting mail-relay is empty.")
    assert "dcor-server set mail-relay=HOST[:PORT]" in ended.out


def test_a_mail_that_the_relay_rejects_is_tried_again_the_next_time(dcor_server: CommandLine) -> None:
    relay = Relay(refusal="550 no such user")
    report = configure(dcor_server, relay)
    for _ in range(2):
        ended = report("report-failure", UNIT)
        assert ended.code == 1
        assert f"The mail relay 127.0.0.1:{relay.port} did not accept a mail to admin@example.org" in ended.err
        assert "no such user" in ended.err
        assert "Check the setting mail-relay." in ended.err
    relay.close()
    assert relay.commands.count("RCPT") == 2


def test_a_relay_that_is_down_is_an_error(dcor_server: CommandLine, relay: Relay) -> None:
    report = configure(dcor_server, relay)
    relay.close()
    with pytest.raises(DcorError, match="Connection refused"):
        mail.report_failure(dcor_server.machine.host, UNIT)
    assert report("report-failure", UNIT).code == 1


def test_the_mail_is_encrypted_where_the_relay_offers_it(host: Host, dcor_server: CommandLine) -> None:
    SelfSignedCertificate("relay.example.org").apply(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(host.path(PAIR.certificate), host.path(PAIR.key))
    relay = Relay(tls=context)
    assert configure(dcor_server, relay)("report-failure", UNIT).code == 0
    relay.close()
    assert relay.commands.index("STARTTLS") < relay.commands.index("MAIL")
    assert len(relay.mails) == 1


def test_a_relay_without_a_port_is_asked_on_port_25(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def connect(*where: object) -> None:
        asked.append(where)
        raise OSError("no route")

    monkeypatch.setattr(smtplib, "SMTP", connect)
    with pytest.raises(DcorError, match="no route"):
        mail.send(settings.parse({**ANSWERS, "mail-relay": "mail.example.org"}), "subject", "text")
    assert asked == [("mail.example.org", 25, "dcor.example.org", mail.TIMEOUT_SECONDS)]
