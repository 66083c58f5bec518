"""A change of settings is checked as a whole before any of it is saved."""

from __future__ import annotations

import pytest

from dcor_pkg import preflight
from dcor_pkg.answers import settings, settings_text
from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets, settings_file
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.verbs import change_settings

GIVEN = {"redis-password": Secret("hush")}


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Secret]]:
    """Return the passwords of each preflight check, which rejects the host name rejected.example.org."""
    seen: list[dict[str, Secret]] = []

    def check_change(host: Host, proposal: Proposal) -> None:
        seen.append(dict(proposal.passwords))
        if proposal.wanted.hostname == "rejected.example.org":
            raise DcorError("rejected")

    monkeypatch.setattr(preflight, "check_change", check_change)
    return seen


def test_a_setting_without_an_answer_is_not_changed(host: Host, checked: list[dict[str, Secret]]) -> None:
    change_settings.take(host, {"hostname": "a.example.org", "workers": "7"}, {})
    change_settings.take(host, {"hostname": "b.example.org"}, {})
    assert settings_file.load(host) == settings.parse({"hostname": "b.example.org", "workers": "7"})
    assert len(checked) == 2


def test_an_empty_answer_is_the_default(host: Host, checked: list[dict[str, Secret]]) -> None:
    change_settings.take(host, {"workers": "7"}, {})
    change_settings.take(host, {"workers": ""}, {})
    assert settings_file.load(host) == settings.parse({})


def test_rejected_settings_change_neither_file_nor_secrets(host: Host, checked: list[dict[str, Secret]]) -> None:
    change_settings.take(host, {}, {"redis-password": Secret("old")})
    before = host.read(settings_text.PATH)
    with pytest.raises(DcorError, match="rejected"):
        change_settings.take(host, {"hostname": "rejected.example.org"}, GIVEN)
    assert host.read(settings_text.PATH) == before
    assert secrets.read(host, secrets.external("redis-password")) == Secret("old")


def test_a_new_password_is_checked_and_used_for_later_changes(host: Host, checked: list[dict[str, Secret]]) -> None:
    change_settings.take(host, {}, GIVEN)
    change_settings.take(host, {}, {})
    change_settings.take(host, {"workers": "7"}, {})
    assert checked == [GIVEN, GIVEN]
    assert host.access(secrets.path(secrets.external("redis-password"))) == Access(0o600)


def test_an_error_in_the_file_can_be_fixed_by_an_answer(host: Host, checked: list[dict[str, Secret]]) -> None:
    host.write(settings_text.PATH, "[dcor-server]\nworkers = many\n", Access(0o640))
    with pytest.raises(settings.InvalidAnswer):
        change_settings.take(host, {"hostname": "a.example.org"}, {})
    change_settings.take(host, {"workers": "7"}, {})
    assert settings_file.load(host).workers == "7"


def test_settings_that_a_purge_has_preserved_come_back_below_new_answers(
    host: Host, checked: list[dict[str, Secret]]
) -> None:
    preserved = "# by order of the clinic\n[dcor-server]\nhostname = old.example.org\nworkers = 7\n"
    host.write(settings_text.PRESERVED_PATH, preserved, Access(0o600))
    change_settings.take(host, {"hostname": "new.example.org"}, {})
    text = host.read(settings_text.PATH) or ""
    assert text.startswith(preserved.replace("old", "new"))
    host.write(settings_text.PRESERVED_PATH, "[dcor-server]\nworkers = 9\n", Access(0o600))
    change_settings.take(host, {}, {})
    assert settings_file.load(host) == settings.parse({"hostname": "new.example.org", "workers": "7"})
