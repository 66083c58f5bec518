"""The dialogue: what is asked, refused, gone back to, and left to the postinst (for that see test_answered)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcor_pkg.answers import questions, settings
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.settings import PASSWORDS
from tests.unit.answers.frontend import Frontend, Keyboard, paragraphs, templates
from tests.unit.answers.questionnaire import ALL, KEYS, asked

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
    """Name the machine."""
    monkeypatch.setattr(socket, "getfqdn", lambda: "Lab.example.org")


def typing(*lines: str | None) -> Keyboard:
    """Return a keyboard at which these are typed, one after the other."""
    left = iter(lines)
    return lambda key, proposed: next(left)


def assert_told_in_the_language_of(frontend: Frontend) -> None:
    told = [text for name, text in frontend.told.items() if name != "ANSWER"]
    assert told == [text.upper() for text in told]


def test_each_question_has_a_template_with_its_default_and_a_long_description() -> None:
    found = templates()
    refused = found.pop("refused")
    del found["refusals"], found["purge-data"]
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
    reasons = {reason for told in judged for reason, _ in told["validator"].faults}
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
            settings.validate(key, frontend.values[key].strip())
    except settings.InvalidAnswer as refused:
        assert refused.question.removeprefix("dcor-server/") in KEYS
        assert preseeded or not corrects
