"""KEY=VALUE on a command line: settings are literal, passwords are read from files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.verbs import assignments


def test_settings_and_passwords_are_separated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("also hush\n".replace(" ", "-")))
    answers, given = assignments.parse(
        ["site-title=a=b", f"database-password=@{tmp_path / 'secret'}", "mail-relay=", "redis-password=@-"]
    )
    assert answers == {"site-title": "a=b", "mail-relay": ""}
    assert {key: value.reveal() for key, value in given.items()} == {
        "database-password": "hush",
        "redis-password": "also-hush",
    }
    assert "hush" not in repr(given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("site-title", "is not KEY=VALUE"),
        ("=x", "no setting ''"),
        ("site_title=x", "no setting 'site_title'"),
        ("solr-password=hush", "every user of this machine can read a command line"),
        ("solr-password=@/nowhere", "/nowhere cannot be read"),
        ("solr-password=@/dev/null", "does not contain a password"),
    ],
)
def test_an_invalid_assignment_is_named_without_its_password(text: str, words: str) -> None:
    with pytest.raises(DcorError, match=words) as error:
        assignments.parse([text])
    assert "hush" not in error.value.reason + error.value.hint
    assert error.value.hint or "/nowhere" in text
