"""The dialogue: what is asked, invalid, gone back to, and left to the postinst (see test_take_answers)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcor_pkg.answers import questions, settings
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.settings import PASSWORDS
from tests.unit.answers.frontend import Frontend, Keyboard, templates
from tests.unit.answers.questionnaire import ALL, KEYS, OF_ACME, asked

#: an invalid answer to each question, and words of the reason
BAD = {
    "hostname": ("no host", "not a host name"),
    "email": ("nobody", "not an email address"),
    "certificate-file": ("", "is missing"),
    "certificate-key": ("key.pem", "absolute"),
    "data-directory": ("/etc", "directory of the system"),
    "scratch-directory": ("/srv/a b", "characters"),
    "site-title": ("x" * 101, "printable"),
    "database": ("mysql://a@b/c", "postgresql"),
    "database-password": ("two words", "contains spaces"),
    "redis": ("redis://:hush@a", "contains a password"),
    "redis-password": ("two words", "contains spaces"),
    "solr": ("https://solr.example.org", "solr/CORE"),
    "solr-password": ("two words", "contains spaces"),
    "object-store": ("s3.example.org", "https://KEY"),
    "object-store-secret": ("two words", "contains spaces"),
    "mail-relay": ("a b", "HOST:PORT"),
}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the machine."""
    monkeypatch.setattr(socket, "getfqdn", lambda: "Lab.example.org")


def typing(*lines: str | None) -> Keyboard:
    """Return a keyboard at which these are typed, one after the other."""
    left = iter(lines)
    return lambda key, proposed: next(left)


def assert_translated(frontend: Frontend) -> None:
    texts = [text for name, text in frontend.shown.items() if name != "ANSWER"]
    assert texts == [text.upper() for text in texts]


def test_a_message_without_a_translation_is_shown_as_it_is() -> None:
    frontend = Frontend()
    Wire(frontend).show_invalid("hostname", "lab", "is too good to be true", "Think again.")
    assert frontend.shown["REASON"] == "is too good to be true"
    assert frontend.shown["HINT"] == "Think again."


def test_by_default_only_the_important_questions_are_asked() -> None:
    assert asked(Frontend()) == ["hostname", "email", "certificate", "data-directory"]
    own = asked(Frontend(lambda key, proposed: ALL[key]))
    assert own == ["hostname", "email", "certificate", "certificate-file", "certificate-key", "data-directory"]


def test_at_low_priority_all_are_asked_but_passwords_for_external_services_only() -> None:
    assert asked(Frontend(lambda key, proposed: ALL[key], priority="low")) == KEYS
    local = asked(Frontend(priority="low"))
    assert local == [key for key in KEYS if key not in (*PASSWORDS, "certificate-file", "certificate-key")]


def test_with_acme_its_own_questions_are_asked_in_the_place_of_the_files() -> None:
    given = {**ALL, "certificate": "acme", "acme-challenge": "dns-01"}
    tries = iter(("http://ca.example.org", "https://ca.example.org/directory"))
    frontend = Frontend(lambda key, _: next(tries) if key == "acme-directory" else given[key], priority="low")
    first = ["hostname", "email", "certificate", OF_ACME[0], "invalid-answer", *OF_ACME, "data-directory"]
    assert asked(frontend)[: len(first)] == first
    assert "HTTPS://" in frontend.shown["REASON"]
    assert [frontend.values[key] for key in OF_ACME] == ["https://ca.example.org/directory", "dns-01"]
    assert asked(Frontend(lambda key, _: given[key]))[2:4] == ["certificate", "data-directory"]


def test_the_name_of_the_machine_is_proposed_if_it_is_a_valid_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    frontend = Frontend()
    asked(frontend)
    assert (frontend.values["hostname"], frontend.values["email"]) == ("lab.example.org", "root@lab.example.org")
    monkeypatch.setattr(socket, "getfqdn", lambda: "my_machine")
    frontend = Frontend(interactive=False)
    assert asked(frontend) == []
    settings.parse({key: frontend.values[key] for key in settings.QUESTIONS})


def test_a_host_name_that_is_typed_in_capitals_is_accepted() -> None:
    frontend = Frontend(typing("DCOR.Example.org.", "admin@example.org", "self-signed", "/data"))
    asked(frontend)
    assert settings.parse(Wire(frontend).answers(settings.QUESTIONS)).hostname == "dcor.example.org"
    assert "REASON" not in frontend.shown


def test_answers_that_a_purge_has_preserved_are_proposed_unless_preseeded() -> None:
    frontend = Frontend(preseed={"hostname": "preseeded.example.org"}, interactive=False)
    preserved = {"hostname": "former.example.org", "data-directory": "/srv/former"}
    questions.ask(Wire(frontend), None, preserved)
    frontend.finish()
    assert (frontend.values["hostname"], frontend.values["data-directory"]) == ("preseeded.example.org", "/srv/former")


@pytest.mark.parametrize("key", BAD)
def test_an_invalid_answer_is_explained_and_asked_again(key: str) -> None:
    tries: Iterator[str] = iter((BAD[key][0], ALL[key]))
    frontend = Frontend(lambda name, proposed: next(tries) if name == key else ALL[name], priority="low")
    expected = list(KEYS)
    expected[KEYS.index(key) : KEYS.index(key)] = [key, "invalid-answer"]
    assert asked(frontend) == expected
    assert BAD[key][1].upper() in frontend.shown["REASON"]
    assert frontend.shown["QUESTION"] == templates()[key]["Description"].partition("\0")[0].upper()
    assert "hush" not in frontend.shown["ANSWER"]
    assert "two words" not in " ".join(frontend.shown.values())
    assert_translated(frontend)
    assert {name: frontend.values[name] for name in KEYS} == ALL


@pytest.mark.parametrize("key", KEYS[1:])
def test_from_each_question_one_can_go_back_to_the_previous_one(key: str) -> None:
    tries = iter((None, ALL[key]))
    frontend = Frontend(lambda name, proposed: next(tries) if name == key else ALL[name], priority="low")
    place = KEYS.index(key)
    assert asked(frontend) == [*KEYS[: place + 1], *KEYS[place - 1 :]]
    assert {name: frontend.values[name] for name in KEYS} == ALL


def test_going_back_skips_questions_that_were_not_shown_and_may_change_the_conditions() -> None:
    preseeded = {key: ALL[key] for key in ("email", "certificate", "certificate-file", "certificate-key")}
    frontend = Frontend(typing("a.example.org", None, "b.example.org", "/data"), preseeded)
    assert asked(frontend) == ["hostname", "data-directory"] * 2
    assert frontend.values["hostname"] == "b.example.org"
    frontend = Frontend(typing("a.example.org", "a@example.org", "own", None, "self-signed", "/data"))
    assert asked(frontend)[2:] == ["certificate", "certificate-file", "certificate", "data-directory"]


def test_going_back_from_the_first_question_asks_it_again() -> None:
    frontend = Frontend(typing(None, None, "a.example.org", "a@example.org", "self-signed", "/data"))
    assert asked(frontend) == ["hostname"] * 3 + ["email", "certificate", "data-directory"]


@pytest.mark.parametrize("typed", [None, "!"])
def test_a_frontend_that_never_answers_ends(typed: str | None) -> None:
    frontend = Frontend(lambda key, proposed: typed)
    assert set(asked(frontend)) <= {"hostname", "invalid-answer"}
    assert not frontend.flags["hostname"]  # so that it is asked next time


def test_an_empty_answer_is_the_proposal_where_it_would_be_invalid() -> None:
    frontend = Frontend(lambda key, proposed: "", priority="low", reshow=True)
    asked(frontend, {"hostname": "dcor.example.org", "data-directory": "/srv/data", "mail-relay": "mail"})
    assert frontend.values["hostname"] == "dcor.example.org"
    assert frontend.values["data-directory"] == "/srv/data"
    assert frontend.values["mail-relay"] == ""


def test_a_preseed_that_is_not_shown_is_not_changed() -> None:
    frontend = Frontend(preseed={"certificate": "bought", "hostname": "no host"}, interactive=False)
    assert asked(frontend) == []
    assert (frontend.values["certificate"], frontend.values["hostname"]) == ("bought", "no host")


def test_the_settings_file_is_proposed() -> None:
    saved = {"hostname": "dcor.example.org", "site-title": "Cells", "certificate": "self-signed"}
    frontend = Frontend(preseed={"hostname": "old.example.org", "mail-relay": "mail"}, reshow=True)
    asked(frontend, saved)
    assert (frontend.values["hostname"], frontend.values["site-title"]) == ("dcor.example.org", "Cells")
    assert (frontend.values["mail-relay"], frontend.values["data-directory"]) == ("", "/data")


def invalid_key(answers: dict[str, str]) -> str:
    """Return the key of the first invalid answer, or an empty string."""
    try:
        settings.parse({key: answers[key] for key in settings.QUESTIONS})
        for key in PASSWORDS:
            settings.validate(key, answers[key].strip())
    except settings.InvalidAnswer as invalid:
        return invalid.key
    return ""


@given(
    st.dictionaries(st.sampled_from(KEYS), st.text(st.characters(blacklist_characters="\n"))),
    st.sampled_from(["low", "high"]),
    st.booleans(),
    st.booleans(),
)
def test_any_answers_give_settings_or_name_the_invalid_question(
    answers: dict[str, str], priority: str, preseeded: bool, corrects: bool
) -> None:
    """Whoever types a valid answer the second time gets settings; whoever does not reaches an end anyway."""
    tried: set[str] = set()

    def keyboard(key: str, proposed: str) -> str:
        typed = ALL[key] if corrects and key in tried else answers.get(key, proposed)
        tried.add(key)
        return typed

    frontend = Frontend(keyboard, answers if preseeded else {}, priority)
    asked(frontend)
    assert_translated(frontend)
    invalid = invalid_key(frontend.values)
    assert invalid in ("", *KEYS)
    assert not invalid or preseeded or not corrects
