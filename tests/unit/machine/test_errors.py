"""The line of a command in a message: whole where it is short, on one line, and cut where it is long."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import LINE_LENGTH, CommandFailed, DcorError, command_line


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (("systemctl", "restart", "nginx.service"), "systemctl restart nginx.service"),
        (("cp", "a file", ""), "cp 'a file' ''"),
        (("sh", "-e", "-c", "first line\nsecond line\n"), "sh -e -c 'first line...'"),
        (("echo", "x" * 100), f"echo {'x' * 80}..."),
        (("echo", *["y" * 50] * 9), f"echo {' '.join(['y' * 50] * 3)} ..."),
    ],
)
def test_a_command_is_one_line(argv: tuple[str, ...], line: str) -> None:
    assert command_line(argv) == line
    assert len(line) <= LINE_LENGTH + len(" ...")


@pytest.mark.parametrize(
    ("code", "ending"),
    [(3, "failed with exit code 3"), (-15, "was ended by the signal SIGTERM"), (-99, "was ended by the signal 99")],
)
def test_how_a_program_ended_is_said(code: int, ending: str) -> None:
    assert CommandFailed(("true",), code, "").reason == f"`true` {ending}"


def test_of_a_long_output_the_end_is_kept() -> None:
    hint = CommandFailed(("true",), 1, f"begin{'.' * 3000}end\n").hint
    assert (len(hint), hint[-3:], "begin" in hint) == (2000, "end", False)


def test_words_of_others_do_not_control_the_terminal() -> None:
    """A log that CKAN's user can write, or an answer of CKAN, is part of messages that root reads."""
    error = DcorError("It says \x1b]0;x\x07\x9b2J\r.", "First\n\tsecond\x08\u202e, ü")
    assert error.reason == str(error) == "It says ?]0;x??2J?."
    assert error.hint == "First\n\tsecond??, ü"
    assert CommandFailed(("true",), 1, "\x1b[2J\n").hint == "?[2J"
