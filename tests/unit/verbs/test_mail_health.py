"""`dcor-server report-health`: a mail on failure and on recovery, and none between."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.status import health
from dcor_pkg.status.part import Part
from dcor_pkg.verbs import mail, mail_health
from tests.unit.command_line import CommandLine

UNIT = Path(__file__).resolve().parents[3] / "debian/dcor-server.dcor-nightly.service"


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return subject and text of each mail."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(mail, "send", lambda settings, subject, text: sent.append((subject, text)))
    return sent


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a healthy server with a relay."""
    dcor_server.converged()
    dcor_server("set", "mail-relay=mail.example.org")
    return dcor_server


@pytest.fixture
def parts(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the problems of parts; a test changes them."""
    found: dict[str, str] = {}

    def examine(*_: object) -> health.Examined:
        parts = [Part("data", None, "/data"), *(Part(name, why) for name, why in found.items())]
        return health.Examined(parts, [], 0.0)

    monkeypatch.setattr(health, "examine", examine)
    return found


@pytest.fixture(autouse=True)
def greeted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the relay be there when the setting is changed."""
    monkeypatch.setattr("dcor_pkg.services.mail_relay._greet", lambda settings: None)
    monkeypatch.delattr(smtplib, "SMTP")


def test_a_failure_and_the_recovery_are_mailed_once(
    server: CommandLine, parts: dict[str, str], mails: list[tuple[str, str]]
) -> None:
    assert server("report-health").out == "No mail was sent: the server is healthy, as it was.\n"
    parts["redis"] = "Could not connect"
    for _ in range(3):
        assert server("report-health").code == 0
    parts.clear()
    for _ in range(3):
        assert server("report-health").code == 0
    (failed, why), (recovered, was) = mails
    assert (failed, recovered) == ("redis: not healthy", "the server is healthy again")
    assert "redis: Could not connect\n" in why
    assert "redis is healthy again; it was: Could not connect\n" in was


def test_another_part_that_fails_is_mailed_and_one_of_several_that_recovers_is_not(
    server: CommandLine, parts: dict[str, str], mails: list[tuple[str, str]]
) -> None:
    parts["redis"] = "down"
    server("report-health")
    parts["solr"] = "down"
    server("report-health")
    del parts["redis"]
    assert server("report-health").out == "No mail was sent: admin@example.org knows of solr.\n"
    parts["solr"] = "down for another reason"
    server("report-health")
    assert [subject for subject, _ in mails] == ["redis: not healthy", "redis, solr: not healthy"]
    parts["redis"] = "down anew"
    server("report-health")
    assert len(mails) == 3


def test_a_converge_that_failed_is_a_failure_and_a_healthy_server_is_none(
    server: CommandLine, mails: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server("report-health", "--json").json == {"message": "No mail was sent: the server is healthy, as it was."}
    monkeypatch.setattr(health, "examine", lambda *_: [])
    server.machine.postgresql.stop_for_good()
    assert server("converge").code == 1
    assert server("report-health").code == 0
    assert [subject for subject, _ in mails] == ["converge: not healthy"]


def test_a_mail_that_was_not_accepted_is_sent_the_next_time(
    server: CommandLine, parts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def send(settings: Settings, subject: str, text: str) -> None:
        sent.append(subject)
        if len(sent) == 1:
            raise DcorError("The mail relay did not accept a mail.")

    monkeypatch.setattr(mail, "send", send)
    parts["solr"] = "down"
    assert [server("report-health").code for _ in range(3)] == [1, 0, 0]
    assert len(sent) == 2


def test_without_a_relay_nothing_is_sent_nor_remembered(
    server: CommandLine, parts: dict[str, str], mails: list[tuple[str, str]]
) -> None:
    server("set", "mail-relay=")
    parts["solr"] = "down"
    assert "the setting mail-relay is empty" in server("report-health").out
    assert (mails, server.machine.host.exists(mail_health.TOLD)) == ([], False)


def test_systemd_does_so_each_night_also_where_a_job_failed() -> None:
    assert "ExecStopPost=-/usr/sbin/dcor-server report-health\n" in UNIT.read_text()
