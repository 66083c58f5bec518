"""The language of messages: that of the locale where somebody reads them, English everywhere else."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from dcor_pkg.machine import language
from dcor_pkg.machine.language import Message, _, marked

ENGLISH, GERMAN = "There is no access token {id}.", "Es gibt kein Zugriffstoken {id}."
marked(ENGLISH)


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "LC_ALL": "", "LC_MESSAGES": "de_AT"}, "de"),
    ],
)
def test_the_language_is_that_of_the_locale(environment: dict[str, str], wanted: str) -> None:
    assert language.of(environment) == wanted


@pytest.mark.usefixtures("german")
def test_german_is_spoken_in_a_block_and_english_before_within_and_after() -> None:
    assert _(ENGLISH) == ENGLISH
    with language.spoken("de"):
        assert (_(ENGLISH), _("what nobody has translated"), _("")) == (GERMAN, "what nobody has translated", "")
        with language.spoken("en"):
            assert _(ENGLISH) == ENGLISH
        assert _(ENGLISH) == GERMAN
    with pytest.raises(KeyError), language.spoken("de"):
        raise KeyError
    assert _(ENGLISH) == ENGLISH


def test_without_a_compiled_catalogue_all_is_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "PLACE", str(tmp_path))
    with language.spoken("de"):
        assert _(ENGLISH) == ENGLISH


@pytest.mark.usefixtures("german")
def test_a_message_goes_through_json_and_is_said_later() -> None:
    fault = Message("is not for {name}", {"name": "a{b}"})
    message = Message("{authority} has issued a certificate that {fault}", {"authority": "X", "fault": fault})
    read = Message.of(json.loads(json.dumps(asdict(message))))
    assert (read, str(read)) == (message, "X has issued a certificate that is not for a{b}")
    with language.spoken("de"):
        assert str(read) == "X hat ein Zertifikat ausgestellt, das nicht zu verwenden ist: es gilt nicht für a{b}"


def test_a_text_that_nothing_fills_may_have_braces() -> None:
    assert str(Message.of("CKAN says {x}.")) == "CKAN says {x}."
