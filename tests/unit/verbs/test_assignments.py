"""KEY=VALUE on a command line: settings as they are, secrets only from files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.verbs import assignments


def test_settings_and_secrets_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        ("solr-password=hush", "everybody can read a command line"),
        ("solr-password=@/nowhere", "/nowhere cannot be read"),
        ("solr-password=@/dev/null", "holds no secret"),
    ],
)
def test_what_cannot_be_read_is_named_and_no_secret_repeated(text: str, words: str) -> None:
    with pytest.raises(DcorError, match=words) as refused:
        assignments.parse([text])
    assert "hush" not in refused.value.reason + refused.value.hint
    assert refused.value.hint or "/nowhere" in text
