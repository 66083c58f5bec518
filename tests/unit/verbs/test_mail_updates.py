"""`dcor-server report-updates`: what unattended-upgrades has changed is mailed once, where it cannot do so itself."""

from __future__ import annotations

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import packages
from dcor_pkg.machine.host import Access
from dcor_pkg.verbs import mail, mail_updates
from tests.unit.command_line import CommandLine

#: as unattended-upgrades 2.9.1 writes it
NIGHT = """\
2026-11-26 06:12:01,000 INFO Starting unattended upgrades script
2026-11-26 06:12:01,000 INFO Allowed origins are: origin=DCOR,label=DCOR,codename=bookworm
2026-11-26 06:12:04,000 INFO {}
"""
UPGRADED = NIGHT.format("Packages that will be upgraded: dcor-server dcor-wheels")
KEPT = NIGHT.format("Package dcor-wheels is marked to be held back.")
IDLE = NIGHT.format("No packages found that can be upgraded unattended and no pending auto-removals")
BROKEN = NIGHT.format("x").replace("INFO x", "ERROR Cache has broken packages, exiting")


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts of what is sent."""
    sent: list[str] = []
    monkeypatch.setattr(mail, "send", lambda settings, subject, text: sent.append(text))
    return sent


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return a server with a mail relay."""
    dcor_server.converged()
    settings = dcor_server.machine.host.read("/etc/dcor-server/dcor-server.conf") or ""
    assert "\nmail-relay =\n" in settings
    text = settings.replace("\nmail-relay =\n", "\nmail-relay = mail.example.org\n")
    dcor_server.machine.host.write("/etc/dcor-server/dcor-server.conf", text, Access(0o640))
    return dcor_server


def log(server: CommandLine, text: str) -> None:
    """Let unattended-upgrades have this log."""
    server.machine.host.make_directory("/var/log/unattended-upgrades", Access(0o750))
    server.machine.host.write(packages.UNATTENDED_LOG, text, Access(0o644))


@pytest.mark.parametrize("night", [UPGRADED, KEPT, BROKEN])
def test_what_has_changed_is_mailed_once(server: CommandLine, mails: list[str], night: str) -> None:
    log(server, night)
    assert "A mail about updates was sent" in server("report-updates").out
    assert mail_updates.NOTHING in server("report-updates").out
    log(server, night + IDLE)
    server("report-updates")
    assert mails == [night]
    log(server, night + IDLE + UPGRADED)
    server("report-updates")
    assert mails == [night, UPGRADED]


def test_a_log_that_was_rotated_is_read_from_its_beginning(server: CommandLine, mails: list[str]) -> None:
    log(server, UPGRADED + IDLE)
    server("report-updates")
    log(server, KEPT)
    server("report-updates")
    assert mails == [UPGRADED + IDLE, KEPT]


@pytest.mark.parametrize("damaged", ["", "\n", "12x\n", "\0\0\0"])
def test_where_it_is_not_known_what_was_read_all_is_mailed(server: CommandLine, mails: list[str], damaged: str) -> None:
    log(server, UPGRADED)
    server.machine.host.write(mail_updates.READ, damaged, Access(0o600))
    assert server("report-updates").code == 0
    assert mails == [UPGRADED]


def test_a_night_without_a_change_is_not_mailed(server: CommandLine, mails: list[str]) -> None:
    server("report-updates")
    log(server, IDLE)
    assert server("report-updates", "--json").json == {"message": mail_updates.NOTHING}
    assert mails == []


def test_a_relay_that_fails_gets_it_the_next_time(
    server: CommandLine, mails: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(settings: Settings, subject: str, text: str) -> None:
        raise DcorError("no")

    log(server, UPGRADED)
    with monkeypatch.context() as patch:
        patch.setattr(mail, "send", fail)
        assert server("report-updates").code == 1
    server("report-updates")
    assert mails == [UPGRADED]


@pytest.mark.parametrize("program", mail_updates.PROGRAMS)
def test_unattended_upgrades_mails_itself_where_it_can(server: CommandLine, mails: list[str], program: str) -> None:
    log(server, UPGRADED)
    server.machine.host.write(program, "", Access(0o755))
    assert program in server("report-updates").out
    assert mails == []


def test_without_a_relay_nothing_is_sent(dcor_server: CommandLine, mails: list[str]) -> None:
    dcor_server.converged()
    assert "mail-relay is empty" in dcor_server("report-updates").out
    assert mails == []


def test_a_postgresql_without_updates_is_in_the_mail(server: CommandLine, mails: list[str]) -> None:
    for version in ("15", "17"):
        server.machine.host.write(f"/usr/lib/postgresql/{version}/bin/postgres", "", Access(0o755))
    server.machine.packages.versions["postgresql-15"] = "15.14-0+deb12u1"
    log(server, UPGRADED)
    server("report-updates")
    (text,) = mails
    assert text.startswith(UPGRADED)
    assert (
        "no updates of PostgreSQL 15\n    To upgrade it to 17, in minutes of 503: dcor-server upgrade-database" in text
    )
