"""Answers become settings, or an error that names the question."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dcor_pkg import settings, settings_file, settings_text
from dcor_pkg.errors import DcorError
from dcor_pkg.host import Access, Host

GOOD = {"hostname": "dcor.example.org", "email": "admin@example.org", "data-directory": "/srv/data"}


@pytest.mark.parametrize(
    ("key", "answer", "reason"),
    [
        ("hostname", "no host", "no host name"),
        ("hostname", "-dcor.example.org", "no host name"),
        ("hostname", "192.0.2.1", "is an address"),
        ("hostname", f"{'a' * 60}.example.org", "64 characters"),
        ("email", "nobody", "no mail address"),
        ("data-directory", "data", "not an absolute path"),
        ("data-directory", "/", "the system's own"),
        ("data-directory", "/srv/my data", "characters"),
        ("data-directory", "/srv/../etc", "characters"),
        ("certificate", "bought", "not offered"),
        ("certificate", "own", "missing"),
        ("mail-relay", "mail.example.org:smtp", "port"),
        ("database", "mysql://a@b/c", "neither local nor postgresql"),
        ("object-store", "https://s3.example.org", "neither local nor"),
        ("workers", "0", "from 1 to 64"),
        ("robots", "maybe", "yes, no"),
        ("site-title", "a\nb", "printable"),
    ],
)
def test_a_bad_answer_names_the_question(key: str, answer: str, reason: str) -> None:
    with pytest.raises(settings.BadAnswer, match=reason) as refused:
        settings.parse({**GOOD, key: answer})
    assert refused.value.question.startswith(f"dcor-server/{key}")
    assert f"dcor-server/{key}" in refused.value.reason


def test_an_unknown_key_is_told_with_those_that_exist() -> None:
    with pytest.raises(DcorError, match="no setting 'hostnam'") as refused:
        settings.parse({"hostnam": "x"})
    assert "hostname" in refused.value.hint


def test_saved_settings_are_loaded_again(host: Host) -> None:
    wanted = settings.parse(GOOD)
    settings_file.save(host, wanted)
    assert settings_file.load(host) == wanted
    assert host.access(settings_text.PATH) == settings_file.ACCESS


def test_a_file_that_cannot_be_read_says_which_line(host: Host) -> None:
    host.write(settings_text.PATH, "[dcor-server]\nhostname dcor.example.org\n", Access(0o640))
    with pytest.raises(DcorError, match="line *2"):
        settings_file.load(host)


def test_what_an_admin_wrote_stays(host: Host) -> None:
    mine = "# ours since 2019\n[dcor-server]\n\n# by the name of the clinic\nHostname=old.example.org\nworkers = 7\n# end\n"
    host.write(settings_text.PATH, mine, Access(0o640))
    settings_file.save(host, settings.parse({"hostname": "new.example.org", "workers": "7"}))
    text = host.read(settings_text.PATH) or ""
    assert text.startswith(mine.replace("Hostname=old", "hostname = new"))
    assert settings_file.load(host) == settings.parse({"hostname": "new.example.org", "workers": "7"})


def test_saved_again_nothing_moves(host: Host) -> None:
    settings_file.save(host, settings.parse(GOOD))
    text = host.read(settings_text.PATH)
    settings_file.save(host, settings_file.load(host))
    assert host.read(settings_text.PATH) == text


def test_a_default_stands_behind_a_comment_sign_until_it_is_chosen(host: Host) -> None:
    settings_file.save(host, settings.parse(GOOD))
    text = host.read(settings_text.PATH) or ""
    assert "\n#workers = auto\n" in text
    settings_file.save(host, settings.parse({**GOOD, "workers": "3"}))
    assert host.read(settings_text.PATH) == text.replace("\n#workers = auto\n", "\nworkers = 3\n")


def test_each_key_is_explained(host: Host) -> None:
    settings_file.save(host, settings.parse(GOOD))
    text = host.read(settings_text.PATH) or ""
    for block in text.split("\n\n")[2:]:
        assert block.startswith("# ")
        assert "Default: " in block.replace("\n# ", " ")
        assert "\n# On change: " in block
    assert text.count("# On change: ") == len(settings.KEYS)


def test_a_bad_value_is_told_with_its_line(host: Host) -> None:
    host.write(settings_text.PATH, "# mine\n[dcor-server]\n\nworkers = many\n", Access(0o640))
    with pytest.raises(DcorError, match=r"dcor-server.conf, line 4: dcor-server/workers = 'many'"):
        settings_file.load(host)


def test_an_unknown_key_in_the_file_is_told_with_its_line(host: Host) -> None:
    host.write(settings_text.PATH, "# mine\n[dcor-server]\nworkers = 3\nHost+Name = x\n", Access(0o640))
    with pytest.raises(DcorError, match=r"dcor-server.conf, line 4: there is no setting 'host\+name'"):
        settings_file.load(host)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(settings.BadAnswer) as refused:
        settings.parse({"database": "postgresql://ckan:hush@db.example.org/ckan"})
    assert "hush" not in refused.value.reason


@given(st.fixed_dictionaries({}, optional={key: st.text() for key in settings.KEYS}))
def test_any_text_gives_settings_or_an_error_that_names_the_question(answers: dict[str, str]) -> None:
    try:
        settings.parse(answers)
    except settings.BadAnswer as refused:
        assert refused.question.removeprefix("dcor-server/") in settings.KEYS


LETTERS = "ABXYZabxyz 019.,:/@_=#;%[]-"
USUAL = ["yes", "no", "7", "/srv/x", "a@b", "a.b", "self-signed", "local", "auto", "dcor"]


def usable(key: str) -> st.SearchStrategy[str]:
    """Return a strategy for answers that this one question takes; where it would refuse one, it is the default."""
    default = settings.default(key)

    def or_default(answer: str) -> str:
        try:
            settings.parse({key: answer})
        except settings.BadAnswer:
            return default
        return answer

    return (st.sampled_from([default, *USUAL]) | st.text(LETTERS, max_size=30)).map(or_default)


@given(st.fixed_dictionaries({}, optional={key: usable(key) for key in settings.KEYS}))
def test_what_is_saved_is_what_is_loaded(answers: dict[str, str]) -> None:
    try:
        wanted = settings.parse(answers)
    except settings.BadAnswer:
        assume(False)
    text = settings_text.changed(settings_text.HEADER, settings.as_answers(wanted))
    assert settings.parse(settings_text.answers_in(text)) == wanted
