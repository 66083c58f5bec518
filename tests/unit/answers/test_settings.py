"""Answers become settings, or an error that names the question."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcor_pkg.answers import settings, settings_text
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Access, Host

README = Path(__file__).resolve().parents[3] / "README.md"
GOOD = {"hostname": "dcor.example.org", "email": "admin@example.org", "data-directory": "/srv/data"}


@pytest.mark.parametrize(
    ("key", "answer", "reason"),
    [
        ("hostname", "no host", "not a host name"),
        ("hostname", "-dcor.example.org", "not a host name"),
        ("hostname", "192.0.2.1", "IP address"),
        ("hostname", f"{'a' * 60}.example.org", "64 characters"),
        ("email", "nobody", "not an email address"),
        ("data-directory", "data", "not an absolute path"),
        ("data-directory", "/", "directory of the system"),
        ("data-directory", "/srv/my data", "characters"),
        ("data-directory", "/srv/../etc", "parent directory"),
        ("certificate", "bought", "not one of the choices"),
        ("certificate", "own", "missing"),
        ("mail-relay", "mail.example.org:smtp", "port"),
        ("database", "mysql://a@b/c", "neither local nor postgresql"),
        ("object-store", "https://s3.example.org", "neither local nor"),
        ("workers", "0", "from 1 to 64"),
        ("robots", "maybe", "yes, no"),
        ("site-title", "a\nb", "printable"),
    ],
)
def test_an_invalid_answer_names_the_question(key: str, answer: str, reason: str) -> None:
    with pytest.raises(settings.InvalidAnswer, match=reason) as invalid:
        settings.parse({**GOOD, key: answer})
    assert invalid.value.key.startswith(key)
    assert invalid.value.reason.startswith(f"dcor-server/{key}")


@pytest.mark.parametrize(
    ("key", "answer", "stored"),
    [
        ("hostname", "DCOR.Example.ORG", "dcor.example.org"),
        ("hostname", " dcor.example.org. ", "dcor.example.org"),
        ("mail-relay", "Mail.example.org.:25", "mail.example.org:25"),
        ("mail-relay", "MAIL", "mail"),
        ("database", "postgresql://Anna@DB.example.org.:5433/Dcor", "postgresql://Anna@db.example.org:5433/Dcor"),
        ("redis", "rediss://Redis.example.org./3", "rediss://redis.example.org/3"),
        ("object-store", "https://AKID@S3.Example.org", "https://AKID@s3.example.org"),
        ("site-title", "DCOR of Us.", "DCOR of Us."),
    ],
)
def test_a_host_name_is_stored_in_lower_case_without_a_final_dot(key: str, answer: str, stored: str) -> None:
    assert settings.as_answers(settings.parse({**GOOD, key: answer}))[key] == stored


@pytest.mark.parametrize("answer", ["dcor.example.org..", ".", "Ä.example.org", "DCOR_1.example.org"])
def test_what_is_no_host_name_in_lower_case_either_is_refused_as_it_was_given(answer: str) -> None:
    assert settings.normal("hostname", f" {answer} ") == answer
    with pytest.raises(settings.InvalidAnswer, match="not a host name"):
        settings.parse({**GOOD, "hostname": answer})


def test_for_an_unknown_key_the_error_lists_the_known_ones() -> None:
    with pytest.raises(DcorError, match="no setting 'hostnam'") as invalid:
        settings.parse({"hostnam": "x"})
    assert "hostname" in invalid.value.hint


def test_saved_settings_are_loaded_again(host: Host) -> None:
    wanted = settings.parse(GOOD)
    settings_file.save(host, wanted)
    assert settings_file.load(host) == wanted
    assert host.access(settings_text.PATH) == settings_file.ACCESS


def test_for_a_file_that_cannot_be_read_the_error_names_the_line(host: Host) -> None:
    host.write(settings_text.PATH, "[dcor-server]\nhostname dcor.example.org\n", Access(0o640))
    with pytest.raises(DcorError, match=r"line *2"):
        settings_file.load(host)


def test_what_an_admin_has_written_is_preserved(host: Host) -> None:
    mine = "# ours since 2019\n[dcor-server]\n\n# by the name of the clinic\nHostname=old.example.org\nworkers = 7\n# end\n"
    host.write(settings_text.PATH, mine, Access(0o640))
    settings_file.save(host, settings.parse({"hostname": "new.example.org", "workers": "7"}))
    text = host.read(settings_text.PATH) or ""
    assert text.startswith(mine.replace("Hostname=old", "hostname = new"))
    assert settings_file.load(host) == settings.parse({"hostname": "new.example.org", "workers": "7"})


NEWER = f"colour = blue\n\n# Written by a version with {len(settings.KEYS) + 1} settings.\n"


def test_keys_of_a_newer_version_are_preserved_and_not_read(host: Host) -> None:
    """The former version may come back as long as the newer one has not served."""
    settings_file.save(host, settings.parse(GOOD))
    text = (host.read(settings_text.PATH) or "").rpartition("# Written")[0] + NEWER
    host.write(settings_text.PATH, text, Access(0o640))
    assert settings_file.load(host) == settings.parse(GOOD)
    assert settings_text.ignored(text) == ["colour"]
    settings_file.save(host, settings.parse({**GOOD, "site-title": "Mine"}))
    assert (host.read(settings_text.PATH) or "").endswith(NEWER)


@pytest.mark.parametrize("writer", ["", f"# Written by a version with {len(settings.KEYS)} settings.\n"])
def test_in_a_file_of_this_version_or_of_a_former_one_an_unknown_key_is_an_error(host: Host, writer: str) -> None:
    host.write(settings_text.PATH, f"[dcor-server]\ncolour = blue\n{writer}", Access(0o640))
    with pytest.raises(DcorError, match=r"dcor-server\.conf, line 2: there is no setting 'colour'"):
        settings_file.load(host)


def test_the_file_says_how_many_settings_its_writer_knew(host: Host) -> None:
    written = f"# Written by a version with {len(settings.KEYS)} settings.\n"
    for before in ("", "# Written by a version with 3 settings.\n"):
        host.write(settings_text.PATH, f"[dcor-server]\n{before}", Access(0o640))
        settings_file.save(host, settings.parse(GOOD))
        assert (host.read(settings_text.PATH) or "").count(written) == 1


def test_saving_again_changes_nothing(host: Host) -> None:
    settings_file.save(host, settings.parse(GOOD))
    text = host.read(settings_text.PATH)
    settings_file.save(host, settings_file.load(host))
    assert host.read(settings_text.PATH) == text


def test_who_allows_registration_reads_that_no_address_is_confirmed(host: Host) -> None:
    """Whoever registers can sign in at once."""
    settings_file.save(host, settings.parse(GOOD))
    comment = (host.read(settings_text.PATH) or "").partition("#registration = no\n")[0].rpartition("\n\n")[2]
    assert "The mail address is not confirmed." in " ".join(comment.replace("#", "").split())


def test_a_default_is_a_comment_until_another_value_is_chosen(host: Host) -> None:
    settings_file.save(host, settings.parse(GOOD))
    text = host.read(settings_text.PATH) or ""
    assert "\n#workers = auto\n" in text
    settings_file.save(host, settings.parse({**GOOD, "workers": "3"}))
    assert host.read(settings_text.PATH) == text.replace("\n#workers = auto\n", "\nworkers = 3\n")


def test_each_key_is_explained(host: Host) -> None:
    settings_file.save(host, settings.parse(GOOD))
    text = host.read(settings_text.PATH) or ""
    for block in text.split("\n\n")[2:-1]:
        assert block.startswith("# ")
        assert "Default: " in block.replace("\n# ", " ")
        assert "\n# On change: " in block
    assert text.count("# On change: ") == len(settings.KEYS)


def test_for_an_invalid_value_the_error_names_the_line(host: Host) -> None:
    host.write(settings_text.PATH, "# mine\n[dcor-server]\n\nworkers = many\n", Access(0o640))
    with pytest.raises(DcorError, match=r"dcor-server.conf, line 4: dcor-server/workers = 'many'"):
        settings_file.load(host)


def test_for_an_unknown_key_in_the_file_the_error_names_the_line(host: Host) -> None:
    host.write(settings_text.PATH, "# mine\n[dcor-server]\nworkers = 3\nHost+Name = x\n", Access(0o640))
    with pytest.raises(DcorError, match=r"dcor-server.conf, line 4: there is no setting 'host\+name'"):
        settings_file.load(host)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("database", "postgresql://ckan:hush@db.example.org/ckan"),
        ("database", "postgresql://ckan:hu@s/h@db.example.org/ckan"),
        ("database", "postgresql://ckan@db.example.org/ckan?password=hush"),
        ("redis", "redis://:hush@redis.example.org"),
        ("mail-relay", "dcor:hush@mail.example.org"),
    ],
)
def test_a_password_in_an_answer_is_masked(key: str, answer: str) -> None:
    with pytest.raises(settings.InvalidAnswer) as invalid:
        settings.parse({key: answer})
    assert "hu" not in f"{invalid.value.reason} {invalid.value.shown} {invalid.value!r}"
    assert "..." in invalid.value.reason


def test_the_answer_to_a_question_for_a_password_is_masked() -> None:
    for key in settings.PASSWORDS:
        with pytest.raises(settings.InvalidAnswer, match=rf"^dcor-server/{key} = '\.\.\.': contains spaces") as invalid:
            settings.validate(key, "two words")
        assert "two words" not in repr(invalid.value)


@given(st.text(), st.sampled_from(["", "redis://", "postgresql://ckan", "ckan"]))
def test_no_part_of_a_password_is_shown(password: str, before: str) -> None:
    assert settings.masked(f"{before}:{password}@example.org") == f"{before}:...@example.org"


@pytest.mark.parametrize("answer", ["https://KEY@s3.example.org:9000/", "redis://redis.example.org:6380/0", "a@b.org"])
def test_an_answer_without_a_password_is_shown_as_it_is(answer: str) -> None:
    assert settings.masked(answer) == answer


@given(st.fixed_dictionaries({}, optional={key: st.text() for key in settings.KEYS}))
def test_any_answers_give_settings_or_an_error_that_names_the_question(answers: dict[str, str]) -> None:
    key = settings.KEYS[0]
    try:
        settings.parse(answers)
    except settings.InvalidAnswer as invalid:
        key = invalid.key
    assert key in settings.KEYS


VALUES = ["yes", "no", "7", "/srv/x", "a@b", "a.b", "self-signed", "local", "auto", "dcor", "ckan"]


def valid_answers(key: str) -> st.SearchStrategy[str]:
    """Return valid answers to one question; those to the title and the data directory are as odd as they may be."""
    row = settings.ROWS[key]
    odd = {"site-title": r"[A-Za-z0-9 .,:/@_=#;%\[\]\\\"'-]{1,30}", "data-directory": r"/[A-Za-z0-9._/-]{1,30}"}
    if key in odd:
        return st.from_regex(odd[key], fullmatch=True).filter(lambda text: row.validator.problem(text) is None)
    return st.sampled_from([value for value in [row.default, *VALUES] if row.validator.problem(value) is None])


@given(st.fixed_dictionaries({}, optional={key: valid_answers(key) for key in settings.KEYS}))
def test_settings_are_loaded_as_they_were_saved(answers: dict[str, str]) -> None:
    wanted = settings.parse(answers)
    text = settings_text.changed(settings_text.HEADER, settings.as_answers(wanted))
    assert settings.parse(settings_text.answers_in(text)) == wanted


@pytest.mark.parametrize("key", [key for key in settings.KEYS if key not in settings.QUESTIONS])
def test_the_readme_names_each_setting_without_a_question(key: str) -> None:
    assert f"`{key}`" in README.read_text(encoding="utf-8")
