"""`dcor-server withdraw` and `unknown-objects`: what they ask CKAN's Python for, and what they say about it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.command_line import CommandLine

ADDRESS = "https://dcor.example.org/circle-1/resource/0a1/b2c/3d"
WITHDRAWN = {
    "found": True,
    "dataset": "beads",
    "resource": None,
    "was": "public",
    "is": "private",
    "objects": 3,
    "removed": 0,
    "readable": [],
}


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    dcor_server.converged()
    dcor_server.machine.ckan.commands.clear()
    return dcor_server


def answers(server: CommandLine, module: str, **content: Any) -> None:
    server.machine.ckan.results[module] = content


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [
        ((), "private"),
        (("--delete",), "deleted"),
        (("--purge", "--yes"), "purged"),
        (("--purge", "--dry-run"), "dry-run"),
    ],
)
def test_what_is_asked_for(server: CommandLine, arguments: tuple[str, ...], mode: str) -> None:
    answers(server, "withdraw", **WITHDRAWN)
    ended = server("withdraw", *arguments, "beads")
    assert (ended.code, ended.err) == (0, "")
    assert server.machine.ckan.commands == [("withdraw", mode, "beads")]


def test_the_result_is_one_line(server: CommandLine) -> None:
    answers(server, "withdraw", **WITHDRAWN)
    assert server("withdraw", "beads").lines == [
        "beads was public and is private; 3 objects in the store. Nobody can read one of them without permission."
    ]
    answers(server, "withdraw", **{**WITHDRAWN, "resource": "r-1", "is": "deleted", "removed": 3})
    assert (
        server("withdraw", "--purge", "--yes", "r-1")
        .lines[0]
        .startswith("The file r-1 of beads was public and is deleted; 3 objects in the store, 3 of them removed.")
    )
    assert server("withdraw", "--json", "r-1").json["removed"] == 3


def test_it_fails_if_somebody_can_still_read_an_object(server: CommandLine) -> None:
    answers(server, "withdraw", **{**WITHDRAWN, "readable": [ADDRESS]})
    ended = server("withdraw", "beads")
    assert (ended.code, ended.lines[1]) == (1, f"  {ADDRESS}")
    ended = server("withdraw", "--dry-run", "beads")
    assert (ended.code, ended.lines[0].partition(";")[0]) == (0, "beads is private")


def test_a_purge_has_to_be_confirmed(server: CommandLine) -> None:
    ended = server("withdraw", "--purge", "beads")
    assert (ended.code, server.machine.ckan.commands) == (1, [])
    assert "add --yes" in ended.err


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"found": False}, "There is no dataset and no file with the id or name beads."),
        (
            {"found": True, "invalid": "{'Name': 'too long'}"},
            "CKAN cannot remove the file beads from its dataset: {'Name'",
        ),
    ],
)
def test_what_cannot_be_withdrawn_is_said_in_a_sentence(server: CommandLine, result: dict[str, Any], said: str) -> None:
    answers(server, "withdraw", **result)
    ended = server("withdraw", "beads")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"dcor-server: {said}")


def test_unknown_objects_are_listed_and_removed_on_request(server: CommandLine) -> None:
    one = {"object": "circle-1/resource/0a1/b2c/3d", "bytes": 5, "modified": "2026-11-01"}
    answers(server, "unknown_objects", unknown=[one], suspicious=False, removed=0)
    ended = server("unknown-objects")
    assert ended.lines[0] == "circle-1/resource/0a1/b2c/3d 5 bytes, 2026-11-01"
    assert ended.lines[1].endswith("To remove them for ever: dcor-server unknown-objects --yes")
    assert server("unknown-objects", "--days", "1", "--yes").lines[1] == "0 of 1 objects were removed."
    assert server.machine.ckan.commands == [("unknown_objects", "list", "7.0"), ("unknown_objects", "remove", "1.0")]
    answers(server, "unknown_objects", unknown=[one], suspicious=True, removed=0)
    assert "restore a newer backup" in server("unknown-objects").lines[1]
    answers(server, "unknown_objects", unknown=[], suspicious=False, removed=0)
    assert server("unknown-objects").lines == ["The database does not know 0 objects in the store."]
