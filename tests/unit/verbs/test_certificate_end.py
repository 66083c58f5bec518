"""An administrator hears in time that the certificate ends, once of each warning, and of a new fingerprint."""

from __future__ import annotations

import datetime

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.settings import OWN, SELF_SIGNED, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine import clock
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls import ending, x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.verbs import certificate_end, mail
from tests.unit.command_line import ANSWERS
from tests.unit.tls.authority import DAY, INTERMEDIATE, KEY, OTHER_KEY, ROOT, Authority, pem

NOW = clock.now()
FILES = {"certificate": OWN, "certificate-file": "/srv/chain.pem", "certificate-key": "/srv/key.pem"}


class Server:
    """A machine with a certificate, a clock that can be set, and the mails that it sends."""

    def __init__(self, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host, self.monkeypatch = host, monkeypatch
        self.mails: list[tuple[str, str]] = []
        monkeypatch.setattr(mail, "send", lambda _, subject, text: self.mails.append((subject, text)))
        host.write(AUTHORITIES, ROOT.pem, Access(0o644))

    def serve(self, kind: str, text: str, key: str = pem(KEY), relay: str = "mail.example.org") -> None:
        own = FILES if kind == OWN else {}
        settings_file.save(self.host, settings.parse({**ANSWERS, **own, "mail-relay": relay}))
        PAIRS[kind].write(self.host, text, key)

    def told_at(self, days: float) -> list[tuple[str, str]]:
        """Run the nightly job so many days before the end of a certificate of 90 days; return the new mails."""
        self.set_clock(90 - days)
        before = len(self.mails)
        certificate_end.report(self.host)
        return self.mails[before:]

    def set_clock(self, days: float) -> None:
        self.monkeypatch.setattr(clock, "now", lambda: NOW + datetime.timedelta(days=days))

    @property
    def settings(self) -> Settings:
        return settings_file.load(self.host)


@pytest.fixture
def server(host: Host, monkeypatch: pytest.MonkeyPatch) -> Server:
    return Server(host, monkeypatch)


OWN_CHAIN = INTERMEDIATE.issue(KEY) + INTERMEDIATE.pem
RENEWED = INTERMEDIATE.issue(OTHER_KEY, end=180) + INTERMEDIATE.pem


def self_signed(end: int = 90) -> str:
    return Authority.sign("dcor.example.org", KEY, signer=Authority("dcor.example.org", key=KEY), end=end)


def fingerprint(text: str) -> str:
    return x509_properties.fingerprint(x509_properties.load_chain(text)[0])


@pytest.mark.parametrize(("kind", "text"), [(OWN, OWN_CHAIN), (SELF_SIGNED, self_signed())])
def test_each_warning_is_mailed_once(server: Server, kind: str, text: str) -> None:
    server.serve(kind, text)
    days = [80, 60.5, 59.5, 59, 40, 29.5, 29, 15, 13.5, 13, 4, 2.5, 2, -1, -2]
    assert [day for day in days if server.told_at(day)] == [59.5, 29.5, 13.5, 2.5]


def test_a_server_that_was_off_gets_one_mail_for_the_warnings_that_it_missed(server: Server) -> None:
    server.serve(OWN, OWN_CHAIN)
    ((subject, text),) = server.told_at(2.5)
    assert subject.startswith("the certificate ends in 2 days, on ")
    assert "Renew /srv/chain.pem, then: dcor-server certificate renew" in text
    assert server.told_at(2) == []


def test_an_expired_certificate_is_called_so(server: Server) -> None:
    server.serve(OWN, OWN_CHAIN)
    ((subject, _),) = server.told_at(-1)
    assert subject.startswith("the certificate has expired on ")


def test_a_clock_that_goes_back_repeats_no_mail(server: Server) -> None:
    server.serve(OWN, OWN_CHAIN)
    assert server.told_at(13)
    assert server.told_at(80) == server.told_at(59) == server.told_at(12) == []
    assert server.told_at(2)


def test_a_clock_that_is_certainly_wrong_warns_of_nothing(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.serve(OWN, OWN_CHAIN)
    monkeypatch.setattr(clock, "PACKAGED", NOW + 1000 * DAY)
    assert server.told_at(2) == []


def test_a_self_signed_certificate_that_was_made_anew_has_its_fingerprint_mailed_once(server: Server) -> None:
    server.serve(SELF_SIGNED, self_signed())
    assert server.told_at(80) == []
    assert "made anew by itself 30 days before the end" in server.told_at(59)[0][1]
    new = self_signed(end=3650)
    server.serve(SELF_SIGNED, new)
    ((subject, text),) = server.told_at(29)
    assert (subject, fingerprint(new) in text) == ("the certificate has been made anew", True)
    assert server.told_at(28) == []


def test_a_renewed_own_certificate_is_warned_of_anew_and_not_announced(server: Server) -> None:
    server.serve(OWN, OWN_CHAIN)
    assert server.told_at(13)
    server.serve(OWN, RENEWED, pem(OTHER_KEY))
    assert server.told_at(12) == []
    assert server.told_at(-31)


def test_without_a_relay_nothing_is_sent_or_noted(server: Server) -> None:
    server.serve(OWN, OWN_CHAIN, relay="")
    assert server.told_at(2) == []
    assert not server.host.exists(certificate_end.TOLD)


def test_a_mail_that_was_not_accepted_is_tried_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.serve(OWN, OWN_CHAIN)
    with monkeypatch.context() as refused:
        refused.setattr(mail, "send", _refuse)
        with pytest.raises(DcorError, match="not accept"):
            server.told_at(2)
    assert server.told_at(2)


def _refuse(*_: object) -> None:
    raise DcorError("The mail relay did not accept a mail.")


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"unknown": 1}'])
def test_a_state_file_that_cannot_be_read_says_nothing(server: Server, text: str) -> None:
    server.serve(OWN, OWN_CHAIN)
    server.host.write(certificate_end.TOLD, text, Access(0o600))
    assert server.told_at(2)
    assert server.told_at(2) == []


def test_the_status_has_a_notice_with_what_to_do(server: Server) -> None:
    server.serve(SELF_SIGNED, self_signed())
    assert ending.notices(server.host, server.settings) == []
    server.set_clock(40.5)
    (notice,) = ending.notices(server.host, server.settings)
    assert notice.message.startswith("ends in 49 days, on ")
    assert "dcor-server certificate renew" in notice.hint


def test_an_incomplete_chain_is_a_notice_that_names_what_is_missing(server: Server) -> None:
    """Here the machine has the intermediate certificate among its authorities, and so accepts the chain."""
    server.host.write(AUTHORITIES, ROOT.pem + INTERMEDIATE.pem, Access(0o644))
    server.serve(OWN, INTERMEDIATE.issue(KEY))
    (notice,) = ending.notices(server.host, server.settings)
    assert "the certificate of CN=intermediate.example.org is missing" in notice.message
    assert "/srv/chain.pem" in notice.hint
    server.serve(OWN, OWN_CHAIN)
    assert ending.notices(server.host, server.settings) == []


def test_without_a_certificate_there_is_no_notice(server: Server) -> None:
    assert ending.notices(server.host, settings.parse(ANSWERS)) == []
