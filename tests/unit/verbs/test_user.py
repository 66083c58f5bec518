"""`dcor-server user`: what it asks CKAN's Python for, what it says, and what it mails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.header import decode_header, make_header
from typing import Any

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.kernel import settings_file
from dcor_pkg.verbs import user, user_mail
from tests.unit.command_line import ANSWERS, CommandLine
from tests.unit.verbs.test_mail import Relay

PATH = "/user/reset/1-2-3?key=abc-1"
LINK = f"https://dcor.example.org{PATH}"
CREATED = {"user": "alice", "email": "alice@example.org", "path": PATH}
CREATE = ("user", "create", "alice", "--email", "alice@example.org")
USER = {
    "name": "alice",
    "full_name": "Alice \x1b[31m",
    "email": "alice@example.org",
    "sysadmin": True,
    "state": "active",
    "created": "2026-11-01T10:00:00+01:00",
    "last_active": "2026-11-02T10:00:00+00:00",
}


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    dcor_server.converged()
    dcor_server.machine.ckan.commands.clear()
    return dcor_server


@pytest.fixture
def relay() -> Iterator[Relay]:
    """Return a relay that takes each mail."""
    relay = Relay()
    yield relay
    relay.close()


def answers(server: CommandLine, content: Any) -> None:
    server.machine.ckan.results["users"] = content


def asked(server: CommandLine) -> list[Any]:
    """Return the requests."""
    assert {it[0] for it in server.machine.ckan.commands} <= {"users"}
    return [json.loads(it[1]) for it in server.machine.ckan.commands]


def with_relay(server: CommandLine, relay: Relay) -> None:
    settings_file.save(server.machine.host, settings.parse({**ANSWERS, "mail-relay": f"127.0.0.1:{relay.port}"}))


def test_a_user_is_created_and_the_link_is_printed(server: CommandLine) -> None:
    answers(server, CREATED)
    ended = server(*CREATE)
    assert (ended.code, ended.lines[1]) == (0, f"    {LINK}")
    assert ended.lines[0] == (
        "The user alice was created. With this link alice chooses a password, once and within 3 days:"
    )
    assert "No mail was sent, because the setting mail-relay is empty." in ended.err
    request = {"do": "create", "name": "alice", "email": "alice@example.org", "full_name": "", "sysadmin": False}
    assert asked(server) == [request]
    assert server(*CREATE, "--sysadmin", "--full-name", "Alice Ä", "--json").json == {
        "user": "alice",
        "link": LINK,
        "mailed": False,
    }
    assert asked(server)[1] == {**request, "sysadmin": True, "full_name": "Alice Ä"}


def test_the_link_is_mailed_to_the_user(server: CommandLine, relay: Relay) -> None:
    with_relay(server, relay)
    answers(server, CREATED)
    ended = server(*CREATE)
    assert (ended.lines[-1], ended.err) == ("It was mailed to alice@example.org.", "")
    (mail,) = relay.mails
    assert (mail["To"], mail["From"]) == ("alice@example.org", "admin@example.org")
    text = mail.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert text.decode().splitlines().count(LINK) == 2
    assert server("user", "reset-link", "alice", "--json").json["mailed"]


def test_the_mail_is_in_both_languages_which_say_the_same(server: CommandLine, relay: Relay) -> None:
    with_relay(server, relay)
    answers(server, CREATED)
    server(*CREATE)
    (mail,) = relay.mails
    subject = str(make_header(decode_header(str(mail["Subject"]).replace("\r\n", ""))))
    assert subject == "[dcor.example.org] Choose a password / Wählen Sie ein Passwort"
    content = mail.get_payload(decode=True)
    assert isinstance(content, bytes)
    english, german = content.decode().replace("\r\n", "\n").split(user_mail.SEPARATOR)
    for words, text in zip(user_mail.LANGUAGES, (english, german)):
        assert text.splitlines()[0] == words.text.splitlines()[0].format(site="https://dcor.example.org/")
        assert [it for it in ("alice", LINK, str(user.DAYS), "admin@example.org") if it not in text] == []


def test_a_mail_that_was_not_taken_does_not_lose_the_link(server: CommandLine, relay: Relay) -> None:
    with_relay(server, relay)
    relay.refusal = "550 not here"
    answers(server, CREATED)
    ended = server("user", "reset-link", "alice")
    assert (ended.code, ended.lines[1]) == (0, f"    {LINK}")
    assert "did not accept a mail to alice@example.org" in ended.err
    assert "Pass the link on" in ended.err
    answers(server, {**CREATED, "email": None})
    assert "alice has no valid address" in server("user", "reset-link", "alice").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "Alice", "--email", "a@b.c"), "The name 'Alice' is not a name"),
        (("create", "a", "--email", "a@b.c"), "The name 'a' is not a name"),
        (("create", "a" * 101, "--email", "a@b.c"), "is not a name"),
        (("create", "alice\n", "--email", "a@b.c"), "The name 'alice\\n' is not a name"),
        (("create", "login", "--email", "a@b.c"), "The name 'login' is the name of a page"),
        (("create", "alice", "--email", "alice"), "The address 'alice' is not an email address"),
        (("create", "alice", "--email", "a@b.c\nBcc: x@y.z"), "is not an email address"),
        (("create", "alice", "--email", f"{'a' * 251}@b.c"), "is longer than 254 characters"),
        (("create", "alice", "--email", "a@b.c", "--full-name", "A\x1b"), "is not a line of 1 to 100"),
        (("disable", "a b"), "The name 'a b' is not a name"),
        (("enable", ""), "The name '' is not a name"),
        (("reset-link", "\udcff"), "is not a name"),
        (("sysadmin", "\u00e4", "on"), "is not a name"),
    ],
)
def test_what_is_invalid_is_said_before_ckan_is_asked(
    dcor_server: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    ended = dcor_server("user", *arguments)
    assert (ended.code, ended.out, asked(dcor_server)) == (1, "", [])
    assert said in ended.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("remove", "alice"), ("create", "alice"), ("sysadmin", "alice"), ("sysadmin", "alice", "yes"), ("disable",)],
)
def test_wrong_usage(dcor_server: CommandLine, arguments: tuple[str, ...]) -> None:
    assert (dcor_server("user", *arguments).code, asked(dcor_server)) == (2, [])


def test_what_ckan_refuses_is_the_message(server: CommandLine) -> None:
    answers(server, {"refused": ["There is a user alice already.", "For a new link: ..."]})
    ended = server(*CREATE)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "dcor-server: There is a user alice already.\n    For a new link: ...\n"


@pytest.mark.parametrize(
    ("arguments", "request_", "said"),
    [
        (("disable", "alice"), {"do": "disable"}, "alice is disabled."),
        (("enable", "alice"), {"do": "enable"}, "alice is enabled."),
        (("sysadmin", "alice", "on"), {"do": "sysadmin", "on": True}, "alice is a sysadmin."),
        (("sysadmin", "alice", "off"), {"do": "sysadmin", "on": False}, "alice is no sysadmin."),
    ],
)
def test_what_a_user_is_then(
    server: CommandLine, arguments: tuple[str, ...], request_: dict[str, Any], said: str
) -> None:
    result = {"user": "alice", "changed": True, "tokens": 2}
    answers(server, result)
    assert server("user", *arguments).lines[0] == said
    assert asked(server) == [{"name": "alice", **request_}]
    assert server("user", *arguments, "--json").json == result
    answers(server, {**result, "changed": False})
    assert server("user", *arguments).lines[0] == f"{said[:-1]} already."


def test_how_many_tokens_were_deleted(server: CommandLine) -> None:
    answers(server, {"user": "alice", "changed": True, "tokens": 2})
    assert server("user", "disable", "alice").lines[1:] == [
        "Sessions are not valid any more; API tokens that were deleted: 2."
    ]


def test_users_are_listed(server: CommandLine) -> None:
    other = {**USER, "name": "bob", "sysadmin": False, "state": "disabled", "last_active": None}
    answers(server, {"users": [USER, other]})
    assert server("user", "list").lines == [
        "alice  Alice ?[31m <alice@example.org>, active, sysadmin, last seen 2026-11-02",
        "bob  Alice ?[31m <alice@example.org>, disabled, never seen",
    ]
    for arguments in (("user", "list", "--json"), ("user", "--json", "list")):
        assert server(*arguments).json["users"][0] == USER
    answers(server, {"users": []})
    assert "dcor-server user create NAME" in server("user", "list").out
