"""`dcor-server circle`: what it asks CKAN's Python for, and what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.command_line import CommandLine

ADD = ("circle", "add", "beads", "alice", "--role", "editor")
ADDED = {"circle": "beads", "user": "alice", "role": "editor", "former": None}


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    dcor_server.converged()
    dcor_server.machine.ckan.commands.clear()
    return dcor_server


def answers(server: CommandLine, content: Any) -> None:
    server.machine.ckan.results["circles"] = content


def test_a_circle_is_created_with_an_admin_or_without(server: CommandLine) -> None:
    answers(server, {"circle": "beads", "admin": "alice"})
    ended = server("circle", "create", "beads", "--admin", "alice")
    assert (ended.code, ended.out) == (0, "The circle beads was created; its admin is alice.\n")
    assert server("circle", "create", "beads").out == "The circle beads was created.\n"
    assert server("circle", "create", "beads", "--json").json["circle"] == "beads"
    requests = [json.loads(it[1]) for it in server.machine.ckan.commands]
    assert requests[:2] == [{"do": "create", "name": "beads", "admin": admin} for admin in ("alice", None)]


def test_a_user_gets_a_role(server: CommandLine) -> None:
    answers(server, ADDED)
    assert server(*ADD).out == "alice is in the circle beads as editor.\n"
    assert server(*ADD, "--json").json == ADDED
    answers(server, {**ADDED, "former": "admin"})
    assert server(*ADD).out == "alice is in the circle beads as editor, instead of admin.\n"
    answers(server, {"refused": ["The user alice is in the circle beads already, as editor.", ""]})
    ended = server(*ADD)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "dcor-server: The user alice is in the circle beads already, as editor.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("create", "Beads"), 1, "The name 'Beads' is not a name"),
        (("create", "new"), 1, "The name 'new' is the name of a page"),
        (("create", "beads", "--admin", ""), 1, "The user '' is not a name"),
        (("add", "a b", "alice", "--role", "admin"), 1, "The circle 'a b' is not a name"),
        (("add", "beads", "\u00e4", "--role", "admin"), 1, "The user '\u00e4' is not a name"),
        (("add", "beads", "alice", "--role", "owner"), 2, "invalid choice: 'owner'"),
        (("add", "beads", "alice"), 2, "--role"),
        (("create",), 2, "CIRCLE"),
        ((), 2, "ACTION"),
    ],
)
def test_what_is_invalid_is_said_before_ckan_is_asked(
    dcor_server: CommandLine, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = dcor_server("circle", *arguments)
    assert (ended.code, ended.out, dcor_server.machine.ckan.commands) == (code, "", [])
    assert said in ended.err
