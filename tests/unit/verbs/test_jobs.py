"""`dcor-server jobs`: what the module that runs in the active release finds, in words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.command_line import CommandLine

FAILED = {
    "id": "4f1_0_preview",
    "queue": "dcor-short",
    "state": "failed",
    "title": "Create a preview",
    "since": "2026-11-27T08:30:01Z",
    "exception": "requests.exceptions.ConnectionError",
    "message": "refused",
    "passing": "a service did not answer",
}
WAITING = {**FAILED, "id": "4f1_1_preview", "state": "waiting", "exception": "", "message": "", "passing": ""}
REST = {
    "function": "ckanext.dc_view.jobs.create_preview_job",
    "created": "2026-11-27T08:30:00Z",
    "enqueued": "2026-11-27T08:30:00Z",
    "started": "",
    "ended": "2026-11-27T08:30:01Z",
    "retried": False,
    "calls": ["/release/jobs.py:51 create_preview_job"],
}


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up."""
    dcor_server.converged()
    dcor_server.machine.ckan.commands.clear()
    return dcor_server


def answer(server: CommandLine, *jobs: dict[str, Any], done: tuple[str, ...] = ()) -> None:
    server.machine.ckan.results["jobs"] = {"jobs": list(jobs), "done": list(done)}


def test_the_list_has_counts_for_each_queue_and_says_what_to_do(server: CommandLine) -> None:
    answer(server, FAILED, WAITING, {**WAITING, "queue": "default"})
    ended = server("jobs", "list")
    assert (ended.code, ended.err) == (0, "")
    assert ended.lines == [
        "dcor-short: 1 failed, 0 under way, 1 waiting",
        "  failed     2026-11-27T08:30:01Z  4f1_0_preview",
        "             Create a preview",
        "             requests.exceptions.ConnectionError: refused",
        "  waiting    2026-11-27T08:30:01Z  4f1_1_preview",
        "             Create a preview",
        "default: 0 failed, 0 under way, 1 waiting",
        "  waiting    2026-11-27T08:30:01Z  4f1_1_preview",
        "             Create a preview",
        "To queue those again that failed: dcor-server jobs retry ID, or all",
    ]
    assert server.machine.ckan.commands == [("jobs", "list")]
    assert server("jobs", "--json", "list").json == {"jobs": [FAILED, WAITING, {**WAITING, "queue": "default"}]}


def test_without_jobs_the_list_says_so(server: CommandLine) -> None:
    assert server("jobs", "list").lines == ["No job waits, is under way, or has failed."]


def test_one_job_is_shown_with_why_it_failed_and_where(server: CommandLine) -> None:
    answer(server, {**FAILED, **REST})
    ended = server("jobs", "show", FAILED["id"])
    assert (ended.code, ended.lines[0]) == (0, FAILED["id"])
    assert "  failed with  requests.exceptions.ConnectionError" in ended.lines
    assert "  may pass     a service did not answer" in ended.lines
    assert "  by night     not yet queued again by a nightly run" in ended.lines
    assert ended.lines[-1] == "  called       /release/jobs.py:51 create_preview_job"
    assert not any(line.startswith("  begun") for line in ended.lines)
    assert server("jobs", "--json", "show", FAILED["id"]).json == {**FAILED, **REST}


def test_what_strangers_have_written_does_not_control_the_terminal(server: CommandLine) -> None:
    answer(server, {**FAILED, "message": "\x1b[2J"})
    assert "\x1b" not in server("jobs", "list").out


@pytest.mark.parametrize(("action", "words"), [("retry", "queued again"), ("forget", "forgotten")])
def test_jobs_that_failed_are_queued_again_or_forgotten(server: CommandLine, action: str, words: str) -> None:
    answer(server, FAILED, done=(FAILED["id"],))
    assert server("jobs", action, FAILED["id"]).lines == [f"1 job was {words}."]
    assert server.machine.ckan.commands == [("jobs", action, FAILED["id"])]
    answer(server, FAILED, FAILED, done=("a", "b"))
    assert server("jobs", action, "all").lines == [f"2 jobs were {words}."]
    for order in (("--json", action, "all"), (action, "--json", "all"), (action, "all", "--json")):
        assert server("jobs", *order).json == {"done": ["a", "b"]}
    answer(server)
    assert server("jobs", action, "all").lines == [f"0 jobs were {words}."]


@pytest.mark.parametrize("action", ["show", "retry", "forget"])
def test_an_unknown_id_is_one_sentence_with_a_hint(server: CommandLine, action: str) -> None:
    ended = server("jobs", action, "other")
    assert (ended.code, ended.out) == (1, "")
    assert "There is no job other that waits, is under way or has failed." in ended.err
    assert "dcor-server jobs list" in ended.err


@pytest.mark.parametrize("action", ["retry", "forget"])
def test_a_job_that_has_not_failed_is_left_alone(server: CommandLine, action: str) -> None:
    answer(server, WAITING)
    ended = server("jobs", action, WAITING["id"])
    assert (ended.code, f"The job {WAITING['id']} has not failed: it is waiting." in ended.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "required: ACTION"),
        (("other",), "invalid choice: 'other'"),
        (("show",), "required: ID"),
        (("retry",), "required: ID"),
        (("forget",), "required: ID"),
        (("list", "x"), "unrecognized arguments: x"),
        (("show", "a", "b"), "unrecognized arguments: b"),
    ],
)
def test_an_id_that_is_missing_or_one_too_many_is_wrong_usage(
    server: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    ended = server("jobs", *arguments)
    assert (ended.code, ended.out, server.machine.ckan.commands) == (2, "", [])
    assert words in ended.err.splitlines()[-1]


@pytest.mark.parametrize("action", ["show", "retry", "forget"])
def test_an_empty_id_is_not_taken_for_all_jobs(server: CommandLine, action: str) -> None:
    """As that of a variable of a shell which is not set."""
    ended = server("jobs", action, "")
    assert (ended.code, server.machine.ckan.commands) == (1, [])
    assert f"`jobs {action}` needs the id of a job." in ended.err


@pytest.mark.parametrize("jobs", [(), (FAILED, FAILED)])
def test_only_one_job_can_be_shown(server: CommandLine, jobs: tuple[dict[str, Any], ...]) -> None:
    answer(server, *jobs)
    ended = server("jobs", "show", "all")
    assert (ended.code, ended.out, "There is no job all" in ended.err) == (1, "", True)


def test_without_a_release_the_message_says_how_to_get_one(dcor_server: CommandLine) -> None:
    ended = dcor_server("jobs", "list")
    assert (ended.code, "dcor-server converge makes one" in ended.err) == (1, True)
