"""The administrator is told of a failure, and not each hour of the same."""

from __future__ import annotations

import time

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import mail

UNIT, ANOTHER = "dcor-converge.service", "dcor-nightly.service"


def test_each_unit_is_told_of_once_a_day(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(Host, "run", lambda self, *argv: "its last words")
    monkeypatch.setattr(mail, "send", lambda settings, subject, text: sent.append(subject))
    settings_file.save(host, settings.parse({"email": "admin@example.org", "mail-relay": "mail.example.org"}))
    for unit in (UNIT, UNIT, ANOTHER):
        mail.report_failure(host, unit)
    assert sent == [f"{UNIT} has failed", f"{ANOTHER} has failed"]
    tomorrow = time.time() + 86400
    monkeypatch.setattr(time, "time", lambda: tomorrow)
    mail.report_failure(host, UNIT)
    assert len(sent) == 3


def test_what_the_relay_did_not_take_is_told_at_the_next_time(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def refused(settings: settings.Settings, subject: str, text: str) -> None:
        tried.append(subject)
        raise DcorError("refused")

    monkeypatch.setattr(Host, "run", lambda self, *argv: "its last words")
    monkeypatch.setattr(mail, "send", refused)
    settings_file.save(host, settings.parse({"email": "admin@example.org", "mail-relay": "mail.example.org"}))
    for _ in range(2):
        with pytest.raises(DcorError):
            mail.report_failure(host, UNIT)
    assert len(tried) == 2
