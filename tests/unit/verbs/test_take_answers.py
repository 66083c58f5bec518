"""What the postinst does with the answers: which apply, which messages it prints, and what debconf has afterwards."""

from __future__ import annotations

import contextlib
import socket

import pytest

from dcor_pkg import preflight
from dcor_pkg.answers import settings, settings_text
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import PASSWORDS
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets, settings_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.verbs import take_answers
from tests.unit.answers.frontend import Frontend
from tests.unit.answers.questionnaire import ALL, KEYS, asked


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the machine, and skip the preflight checks."""
    monkeypatch.setattr(socket, "getfqdn", lambda: "Lab.example.org")
    monkeypatch.setattr(preflight, "check_change", lambda host, proposal: None)


def first(host: Host, preseed: dict[str, str]) -> Frontend:
    """Install for the first time with a preseed, unattended."""
    frontend = Frontend(preseed=preseed, interactive=False)
    asked(frontend)
    take_answers.take(host, Wire(frontend), reconfigure=False, probe=True)
    return frontend


def preseed(frontend: Frontend, key: str, value: str) -> None:
    """Do what debconf-set-selections does."""
    frontend.values[key], frontend.flags[key] = value, True


def upgrade(host: Host, frontend: Frontend) -> list[str]:
    """Return the messages of an upgrade."""
    return take_answers.take(host, Wire(frontend), reconfigure=False, probe=True)


def test_a_preseed_applies_in_a_first_installation_and_passwords_leave_debconf(host: Host) -> None:
    frontend = first(host, ALL)
    assert settings_file.load(host) == settings.parse({key: ALL[key] for key in settings.QUESTIONS if key in ALL})
    assert secrets.read(host, secrets.external("solr-password")) == Secret("hush-solr")
    assert [key for key in KEYS if frontend.values[key].startswith("hush")] == []
    assert True not in frontend.flags.values()


@pytest.mark.parametrize("hostname", ["dcor.example.org", "no host"])
def test_a_yes_to_an_earlier_purge_is_forgotten(host: Host, hostname: str) -> None:
    frontend = Frontend(preseed={"hostname": hostname, "purge-data": "true"}, interactive=False)
    with contextlib.suppress(DcorError):
        take_answers.take(host, Wire(frontend), reconfigure=False, probe=True)
    assert (frontend.values["purge-data"], frontend.flags["purge-data"]) == ("false", False)


def test_a_host_name_in_another_form_is_the_same_answer(host: Host) -> None:
    frontend = first(host, {**ALL, "hostname": "Dcor.Example.org."})
    assert settings_file.load(host).hostname == frontend.values["hostname"] == "dcor.example.org"
    preseed(frontend, "hostname", "DCOR.example.org")
    assert upgrade(host, frontend) == []


def test_later_the_file_applies_and_a_different_preseed_gives_a_line(host: Host) -> None:
    frontend = first(host, ALL)
    preseed(frontend, "hostname", "it's.example.org")
    preseed(frontend, "site-title", ALL["site-title"])
    preseed(frontend, "redis", "redis://:hush@redis.example.org")
    preseed(frontend, "redis-password", "hush-other")
    messages = upgrade(host, frontend)
    questioned = ["hostname", "redis", "redis-password"]
    assert [line.partition(" ")[0] for line in messages] == [f"dcor-server/{key}" for key in questioned]
    assert "dcor-server.conf applies, which says 'dcor.example.org'" in messages[0]
    assert "\n" not in "".join(messages)
    assert "hush" not in "".join(messages)
    assert settings_file.load(host).hostname == "dcor.example.org"
    assert secrets.read(host, secrets.external("redis-password")) == Secret("hush-redis")
    assert frontend.values["redis-password"] == ""
    assert upgrade(host, frontend) == []


def test_an_edit_of_the_file_is_not_a_preseed_and_reaches_debconf(host: Host) -> None:
    frontend = first(host, ALL)
    text = (host.read(settings_text.PATH) or "").replace("= Cells & Beads", "= Cells   only")
    host.write(settings_text.PATH, text, Access(0o640))
    assert upgrade(host, frontend) == []
    assert frontend.values["site-title"] == "Cells only"
    assert host.read(settings_text.PATH) == text
    frontend = Frontend(reshow=True, priority="low")
    asked(frontend, settings_file.read(host))
    take_answers.take(host, Wire(frontend), reconfigure=True, probe=True)
    assert host.read(settings_text.PATH) == text


def test_a_password_that_is_left_empty_is_not_changed(host: Host) -> None:
    frontend = first(host, ALL)
    again = Frontend(reshow=True, priority="low")
    asked(again, settings_file.read(host))
    assert set(PASSWORDS) <= set(again.asked)
    take_answers.take(host, Wire(again), reconfigure=True, probe=True)
    assert secrets.read(host, secrets.external("database-password")) == Secret("hush-database")
    assert frontend.values["database-password"] == ""


def test_an_invalid_answer_in_a_first_installation_is_asked_again(host: Host) -> None:
    frontend = Frontend(preseed={**ALL, "hostname": "no host"}, interactive=False)
    asked(frontend)
    with pytest.raises(settings.InvalidAnswer, match="dcor-server/hostname = 'no host'") as invalid:
        take_answers.take(host, Wire(frontend), reconfigure=False, probe=True)
    assert "debconf-set-selections" in invalid.value.hint
    assert (frontend.flags["hostname"], frontend.flags["email"]) == (False, True)
    assert frontend.values["redis-password"] == "hush-redis"
    assert not host.exists("/etc/dcor-server")


def test_a_reconfiguration_with_an_invalid_answer_changes_nothing(host: Host) -> None:
    first(host, ALL)
    before = host.read(settings_text.PATH)
    frontend = Frontend(preseed={**ALL, "solr-password": "hush two"}, reshow=True)
    with pytest.raises(DcorError, match=r"dcor-server/solr-password = '\.\.\.': contains spaces"):
        take_answers.take(host, Wire(frontend), reconfigure=True, probe=True)
    assert host.read(settings_text.PATH) == before
    assert frontend.values["solr-password"] == ""
    assert upgrade(host, frontend) == []


def test_a_host_name_without_a_domain_gives_a_warning(host: Host) -> None:
    frontend = Frontend(preseed={"hostname": "lab"}, interactive=False)
    (line,) = take_answers.take(host, Wire(frontend), reconfigure=False, probe=True)
    assert line.startswith("lab is a host name without a domain")
    assert "dcor-server set hostname=NAME" in line
