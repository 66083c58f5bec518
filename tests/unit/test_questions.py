"""The dialogue: what is asked, refused, gone back to, and left to the postinst."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcor_pkg import answered, preflight, questions, secrets, settings, settings_file, settings_text
from dcor_pkg.debconf_io import Wire
from dcor_pkg.errors import DcorError
from dcor_pkg.host import Access, Host
from dcor_pkg.questions import QUESTIONS
from dcor_pkg.settings import PASSWORDS
from tests.unit.frontend import Frontend, Keyboard, paragraphs, templates

#: an answer to each question, so that all are asked
ALL = {
    "hostname": "dcor.example.org",
    "email": "admin@example.org",
    "certificate": "own",
    "certificate-file": "/srv/chain.pem",
    "certificate-key": "/srv/key.pem",
    "data-directory": "/srv/data",
    "scratch-directory": "/srv/scratch",
    "site-title": "Cells & Beads",
    "database": "postgresql://ckan@db.example.org/ckan",
    "database-password": "hush-database",
    "redis": "rediss://redis.example.org/1",
    "redis-password": "hush-redis",
    "solr": "https://ckan@solr.example.org/solr/ckan",
    "solr-password": "hush-solr",
    "object-store": "https://KEY@s3.example.org",
    "object-store-secret": "hush-s3",
    "mail-relay": "mail.example.org:25",
}
KEYS = [question.key for question in QUESTIONS]
#: an answer to each question that cannot be, and words of the reason
BAD = {
    "hostname": ("no host", "no host name"),
    "email": ("nobody", "no mail address"),
    "certificate-file": ("", "is missing"),
    "certificate-key": ("key.pem", "absolute"),
    "data-directory": ("/etc", "the system's own"),
    "scratch-directory": ("/srv/a b", "characters"),
    "site-title": ("x" * 101, "printable"),
    "database": ("mysql://a@b/c", "postgresql"),
    "database-password": ("two words", "one word"),
    "redis": ("redis://:hush@a", "holds a password"),
    "redis-password": ("two words", "one word"),
    "solr": ("https://solr.example.org", "solr/CORE"),
    "solr-password": ("two words", "one word"),
    "object-store": ("s3.example.org", "https://KEY"),
    "object-store-secret": ("two words", "one word"),
    "mail-relay": ("a b", "no host name"),
}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the machine, and try nothing on it."""
    monkeypatch.setattr(socket, "getfqdn", lambda: "Lab.example.org")
    monkeypatch.setattr(preflight, "check_change", lambda host, before, wanted, passwords: None)


def typing(*lines: str | None) -> Keyboard:
    """Return a keyboard at which these are typed, one after the other."""
    left = iter(lines)
    return lambda key, proposed: next(left)


def asked(frontend: Frontend, kept: dict[str, str] | None = None) -> list[str]:
    """Ask, and return what was shown."""
    questions.ask(Wire(frontend), kept, {})
    frontend.finish()
    return frontend.asked


def assert_told_in_the_language_of(frontend: Frontend) -> None:
    told = [text for name, text in frontend.told.items() if name != "ANSWER"]
    assert told == [text.upper() for text in told]


def test_each_question_has_a_template_with_its_default_and_a_long_description() -> None:
    found = templates()
    refused = found.pop("refused")
    del found["refusals"]
    assert refused["Type"] == "error"
    assert set(found) == set(KEYS) == {*settings.QUESTIONS, *PASSWORDS}
    for key, fields in found.items():
        assert (key, fields["Type"] == "password") == (key, key in PASSWORDS)
        assert len(fields["Description"].partition("\0")[2]) >= 60, key
    assert {key: found[key].get("Default", "") for key in settings.QUESTIONS if key not in ("hostname", "email")} == {
        key: settings.default(key) for key in settings.QUESTIONS if key not in ("hostname", "email")
    }


def test_what_may_be_said_of_an_answer_is_in_the_templates_and_nothing_else() -> None:
    judged = [settings.SECRET, *(settings.FIELDS[key].metadata for key in settings.QUESTIONS)]
    reasons = {reason for told in judged for reason, _ in told["judge"].faults}
    hints = {told["hint"] for told in judged} - {""}
    sentences = paragraphs(templates()["refusals"]["Description"].partition("\0")[2]).split("\n\n")
    assert sorted(sentences) == sorted({*reasons, *hints, settings.MISSING})


def test_a_sentence_that_the_templates_do_not_have_is_shown_as_it_is() -> None:
    frontend = Frontend()
    Wire(frontend).refuse("hostname", "lab", "is too good to be true", "Think again.")
    assert frontend.told["REASON"] == "is too good to be true"
    assert frontend.told["HINT"] == "Think again."


def test_by_default_four_are_asked_and_with_an_own_certificate_six() -> None:
    assert asked(Frontend()) == ["hostname", "email", "certificate", "data-directory"]
    own = asked(Frontend(lambda key, proposed: ALL[key]))
    assert own == ["hostname", "email", "certificate", "certificate-file", "certificate-key", "data-directory"]


def test_all_are_asked_where_all_are_wanted_and_a_password_with_a_service_elsewhere_only() -> None:
    assert asked(Frontend(lambda key, proposed: ALL[key], priority="low")) == KEYS
    local = asked(Frontend(priority="low"))
    assert local == [key for key in KEYS if key not in (*PASSWORDS, "certificate-file", "certificate-key")]


def test_what_the_machine_knows_is_proposed_and_nothing_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    frontend = Frontend()
    asked(frontend)
    assert (frontend.values["hostname"], frontend.values["email"]) == ("lab.example.org", "root@lab.example.org")
    monkeypatch.setattr(socket, "getfqdn", lambda: "my_machine")
    frontend = Frontend(interactive=False)
    assert asked(frontend) == []
    settings.parse({key: frontend.values[key] for key in settings.QUESTIONS})


def test_what_a_purge_has_put_by_is_proposed_and_a_preseed_counts_more() -> None:
    frontend = Frontend(preseed={"hostname": "preseeded.example.org"}, interactive=False)
    put_by = {"hostname": "former.example.org", "data-directory": "/srv/former"}
    questions.ask(Wire(frontend), None, put_by)
    frontend.finish()
    assert (frontend.values["hostname"], frontend.values["data-directory"]) == ("preseeded.example.org", "/srv/former")


@pytest.mark.parametrize("key", BAD)
def test_a_bad_answer_is_refused_at_its_question_and_asked_again(key: str) -> None:
    tries: Iterator[str] = iter((BAD[key][0], ALL[key]))
    frontend = Frontend(lambda name, proposed: next(tries) if name == key else ALL[name], priority="low")
    expected = list(KEYS)
    expected[KEYS.index(key) : KEYS.index(key)] = [key, "refused"]
    assert asked(frontend) == expected
    assert BAD[key][1].upper() in frontend.told["REASON"]
    assert frontend.told["QUESTION"] == templates()[key]["Description"].partition("\0")[0].upper()
    assert "hush" not in frontend.told["ANSWER"]
    assert "two words" not in " ".join(frontend.told.values())
    assert_told_in_the_language_of(frontend)
    assert {name: frontend.values[name] for name in KEYS} == ALL


@pytest.mark.parametrize("key", KEYS[1:])
def test_from_each_question_the_way_back_leads_to_the_one_before(key: str) -> None:
    tries = iter((None, ALL[key]))
    frontend = Frontend(lambda name, proposed: next(tries) if name == key else ALL[name], priority="low")
    place = KEYS.index(key)
    assert asked(frontend) == [*KEYS[: place + 1], *KEYS[place - 1 :]]
    assert {name: frontend.values[name] for name in KEYS} == ALL


def test_the_way_back_passes_what_was_not_seen_and_may_lead_elsewhere() -> None:
    preseeded = {key: ALL[key] for key in ("email", "certificate", "certificate-file", "certificate-key")}
    frontend = Frontend(typing("a.example.org", None, "b.example.org", "/data"), preseeded)
    assert asked(frontend) == ["hostname", "data-directory"] * 2
    assert frontend.values["hostname"] == "b.example.org"
    frontend = Frontend(typing("a.example.org", "a@example.org", "own", None, "self-signed", "/data"))
    assert asked(frontend)[2:] == ["certificate", "certificate-file", "certificate", "data-directory"]


def test_from_the_first_there_is_no_way_back() -> None:
    frontend = Frontend(typing(None, None, "a.example.org", "a@example.org", "self-signed", "/data"))
    assert asked(frontend) == ["hostname"] * 3 + ["email", "certificate", "data-directory"]


@pytest.mark.parametrize("typed", [None, "!"])
def test_a_frontend_that_nobody_sits_at_comes_to_an_end(typed: str | None) -> None:
    frontend = Frontend(lambda key, proposed: typed)
    assert set(asked(frontend)) <= {"hostname", "refused"}
    assert not frontend.flags["hostname"]  # so that it is asked at the next occasion


def test_nothing_typed_is_what_was_proposed_where_nothing_is_no_answer() -> None:
    frontend = Frontend(lambda key, proposed: "", priority="low", reshow=True)
    asked(frontend, {"hostname": "dcor.example.org", "data-directory": "/srv/data", "mail-relay": "mail"})
    assert frontend.values["hostname"] == "dcor.example.org"
    assert frontend.values["data-directory"] == "/srv/data"
    assert frontend.values["mail-relay"] == ""


def test_what_nobody_sees_stays_as_it_was_preseeded() -> None:
    frontend = Frontend(preseed={"certificate": "bought", "hostname": "no host"}, interactive=False)
    assert asked(frontend) == []
    assert (frontend.values["certificate"], frontend.values["hostname"]) == ("bought", "no host")


def test_the_file_is_what_is_proposed() -> None:
    kept = {"hostname": "dcor.example.org", "site-title": "Cells", "certificate": "self-signed"}
    frontend = Frontend(preseed={"hostname": "old.example.org", "mail-relay": "mail"}, reshow=True)
    asked(frontend, kept)
    assert (frontend.values["hostname"], frontend.values["site-title"]) == ("dcor.example.org", "Cells")
    assert (frontend.values["mail-relay"], frontend.values["data-directory"]) == ("", "/data")


@given(
    st.dictionaries(st.sampled_from(KEYS), st.text(st.characters(blacklist_characters="\n"))),
    st.sampled_from(["low", "high"]),
    st.booleans(),
    st.booleans(),
)
def test_whatever_is_typed_or_preseeded_gives_settings_or_a_question_to_blame(
    answers: dict[str, str], priority: str, preseeded: bool, corrects: bool
) -> None:
    """Somebody who types something else at the second time ends with settings; who does not, comes to an end."""
    tried: set[str] = set()

    def keyboard(key: str, proposed: str) -> str:
        typed = ALL[key] if corrects and key in tried else answers.get(key, proposed)
        tried.add(key)
        return typed

    frontend = Frontend(keyboard, answers if preseeded else {}, priority)
    asked(frontend)
    assert_told_in_the_language_of(frontend)
    try:
        settings.parse({key: frontend.values[key] for key in settings.QUESTIONS})
        for key in PASSWORDS:
            settings.judge(key, frontend.values[key].strip())
    except settings.BadAnswer as refused:
        assert refused.question.removeprefix("dcor-server/") in KEYS
        assert preseeded or not corrects


# What the postinst makes of the answers


def first(host: Host, preseed: dict[str, str]) -> Frontend:
    """Install for the first time, with these preseeded, and nobody at the keyboard."""
    frontend = Frontend(preseed=preseed, interactive=False)
    asked(frontend)
    answered.take(host, Wire(frontend), again=False, tried=True)
    return frontend


def preseed(frontend: Frontend, key: str, value: str) -> None:
    """Do what debconf-set-selections does."""
    frontend.values[key], frontend.flags[key] = value, True


def upgrade(host: Host, frontend: Frontend) -> list[str]:
    """Return what an upgrade tells."""
    return answered.take(host, Wire(frontend), again=False, tried=True)


def test_a_preseed_counts_at_first_and_secrets_leave_debconf(host: Host) -> None:
    frontend = first(host, ALL)
    assert settings_file.load(host) == settings.parse({key: ALL[key] for key in settings.QUESTIONS})
    assert secrets.read(host, secrets.external("solr-password")) == "hush-solr"
    assert [key for key in KEYS if frontend.values[key].startswith("hush")] == []
    assert True not in frontend.flags.values()


def test_later_the_file_counts_and_a_preseed_that_differs_is_told_in_a_line(host: Host) -> None:
    frontend = first(host, ALL)
    preseed(frontend, "hostname", "it's.example.org")
    preseed(frontend, "site-title", ALL["site-title"])
    preseed(frontend, "redis", "redis://:hush@redis.example.org")
    preseed(frontend, "redis-password", "hush-other")
    told = upgrade(host, frontend)
    questioned = ["hostname", "redis", "redis-password"]
    assert [line.partition(" ")[0] for line in told] == [f"dcor-server/{key}" for key in questioned]
    assert "says 'dcor.example.org' and counts" in told[0]
    assert "\n" not in "".join(told)
    assert "hush" not in "".join(told)
    assert settings_file.load(host).hostname == "dcor.example.org"
    assert secrets.read(host, secrets.external("redis-password")) == "hush-redis"
    assert frontend.values["redis-password"] == ""
    assert upgrade(host, frontend) == []


def test_an_edit_of_the_file_is_no_preseed_and_reaches_debconf(host: Host) -> None:
    frontend = first(host, ALL)
    text = (host.read(settings_text.PATH) or "").replace("= Cells & Beads", "= Cells   only")
    host.write(settings_text.PATH, text, Access(0o640))
    assert upgrade(host, frontend) == []
    assert frontend.values["site-title"] == "Cells only"
    assert host.read(settings_text.PATH) == text
    frontend = Frontend(reshow=True, priority="low")
    asked(frontend, settings_file.read(host))
    answered.take(host, Wire(frontend), again=True, tried=True)
    assert host.read(settings_text.PATH) == text


def test_a_password_that_is_left_empty_stays(host: Host) -> None:
    frontend = first(host, ALL)
    again = Frontend(reshow=True, priority="low")
    asked(again, settings_file.read(host))
    assert set(PASSWORDS) <= set(again.asked)
    answered.take(host, Wire(again), again=True, tried=True)
    assert secrets.read(host, secrets.external("database-password")) == "hush-database"
    assert frontend.values["database-password"] == ""


def test_what_is_refused_at_first_is_asked_again(host: Host) -> None:
    frontend = Frontend(preseed={**ALL, "hostname": "no host"}, interactive=False)
    asked(frontend)
    with pytest.raises(settings.BadAnswer, match="dcor-server/hostname = 'no host'") as refused:
        answered.take(host, Wire(frontend), again=False, tried=True)
    assert "debconf-set-selections" in refused.value.hint
    assert (frontend.flags["hostname"], frontend.flags["email"]) == (False, True)
    assert frontend.values["redis-password"] == "hush-redis"
    assert not host.exists("/etc/dcor-server")


def test_a_refused_reconfiguration_leaves_no_trace(host: Host) -> None:
    first(host, ALL)
    before = host.read(settings_text.PATH)
    frontend = Frontend(preseed={**ALL, "solr-password": "hush two"}, reshow=True)
    with pytest.raises(DcorError, match=r"dcor-server/solr-password = '\.\.\.': is not one word"):
        answered.take(host, Wire(frontend), again=True, tried=True)
    assert host.read(settings_text.PATH) == before
    assert frontend.values["solr-password"] == ""
    assert upgrade(host, frontend) == []


def test_a_name_without_a_domain_is_told(host: Host) -> None:
    frontend = Frontend(preseed={"hostname": "lab"}, interactive=False)
    (line,) = answered.take(host, Wire(frontend), again=False, tried=True)
    assert line.startswith("lab is a host name without a domain")
    assert "dcor-server set hostname=NAME" in line
