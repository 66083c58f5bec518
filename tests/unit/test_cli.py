"""The command `dcor-server` as a whole: its table of verbs, exit codes, and what it prints when something fails."""

from __future__ import annotations

import io
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from dcor_pkg import cli
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import last_converge, pending, settings_file
from dcor_pkg.machine import error_boundary
from dcor_pkg.machine.host import Access
from tests.unit.command_line import CommandLine

TREE = Path(__file__).parents[2]
NAMES = [verb.name for verb in cli.VERBS]
PASSING_ON = [verb.name for verb in cli.VERBS if verb.passes_arguments_on]
#: an option or a placeholder in a usage line
WORD = r"--[a-z-]+|[A-Z]+(?:=[A-Z]+)?"


def sections() -> dict[str, str]:
    """Return what the man page says of each verb, without the marks of its fonts."""
    page = (TREE / "debian/dcor-server.8").read_text().replace("\\-", "-")
    verbs = re.sub(r"\\f.", "", page.partition(".SH VERBS\n")[2].partition(".SH ")[0])
    return {text.split()[0]: text for text in verbs.split(".TP\n.B ")[1:]}


def test_the_man_page_describes_each_verb_and_no_other() -> None:
    assert sorted(sections()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_man_page_has_each_argument_of_a_verb_and_no_other(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    usage = "ARGUMENTS" if name in PASSING_ON else dcor_server(name, "--help").lines[0].partition(f" {name} ")[2]
    heading = sections()[name].splitlines()[0]
    assert set(re.findall(WORD, heading)) == set(re.findall(WORD, usage))


def test_the_readme_lists_each_verb_and_no_other() -> None:
    rows = re.findall(r"^\| `dcor-server ([a-z-]+)", (TREE / "README.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(NAMES)


@pytest.mark.parametrize("charset", ["ISO-8859-1", "ANSI_X3.4-1968"])
def test_what_the_terminal_cannot_show_is_replaced(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch, charset: str
) -> None:
    dcor_server("set", "site-title=Zellen \u65e5\u672c")
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=charset))
    assert dcor_server("get", "site-title").code == 0
    assert written.getvalue() == b"Zellen ??\n"


def test_help_lists_each_verb_with_its_summary(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = dcor_server("--help")
    assert ended.code == 0
    text = " ".join(ended.out.split())
    assert [verb.name for verb in cli.VERBS if f"{verb.name} {verb.summary}" not in text] == []
    assert "3 not as it should be" in text


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(PASSING_ON)))
def test_each_verb_has_help_and_json(dcor_server: CommandLine, name: str) -> None:
    ended = dcor_server(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"usage: dcor-server {name}" in ended.out
    assert "--json" in ended.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "VERB"),
        (("conferge",), "conferge"),
        (("get", "hostnam"), "hostnam"),
        (("status", "--nagois"), "--nagois"),
        (("status", "--nagios", "--json"), "--json"),
        (("status", "--watch", "0"), "from 1 to a day"),
        (("set",), "KEY=VALUE"),
        (("move-data",), "NEW"),
        (("converge", "now"), "now"),
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(
    dcor_server: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    ended = dcor_server(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "usage: dcor-server" in ended.err


def test_another_user_is_told_to_use_sudo(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ended = dcor_server("status")
    assert (ended.code, ended.out) == (1, "")
    assert (
        ended.err == "dcor-server: `dcor-server status` has to be run by root.\n    Run: sudo dcor-server status ...\n"
    )


def test_files_are_created_for_everybody_to_read(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[int] = []
    monkeypatch.setattr(os, "umask", masks.append)
    dcor_server("get")
    assert masks == [0o022]


def test_an_error_is_printed_with_each_line_of_its_hint(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, lambda: DcorError("The disk is full.", "df -h shows the disks.\nRemove something."))
    ended = dcor_server("get")
    assert ended.code == 1
    assert ended.err == "dcor-server: The disk is full.\n    df -h shows the disks.\n    Remove something.\n"


@pytest.mark.parametrize(("verb", "hint"), [("converge", "dcor-server converge"), ("get", "")])
def test_an_interruption_says_what_was_interrupted_and_how_to_complete_it(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch, verb: str, hint: str
) -> None:
    raising(monkeypatch, KeyboardInterrupt)
    ended = dcor_server(verb)
    first, *others = ended.err.splitlines()
    assert (ended.code, first) == (1, f"dcor-server: `dcor-server {verb}` was interrupted before it ended.")
    assert (hint in "".join(others), bool(others)) == (True, bool(hint))


def test_sigterm_ends_a_command_as_an_interruption_does(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """systemd sends it. By itself it would leave a half migration, with 503 for everybody, until the next converge."""
    former = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        monkeypatch.setattr(settings_file, "load", lambda host: os.kill(os.getpid(), signal.SIGTERM))
        ended = dcor_server("converge")
    finally:
        signal.signal(signal.SIGTERM, former)
    assert ended.code == 1
    assert ended.err.startswith("dcor-server: `dcor-server converge` was interrupted before it ended.")


def test_an_interrupted_converge_is_pending(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt)
    dcor_server("converge")
    assert pending.is_pending(dcor_server.machine.host, pending.CONVERGE)


@pytest.mark.parametrize("verb", ["get", "status", "check", "converge"])
def test_the_traceback_of_a_bug_is_in_the_log_only(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    raising(monkeypatch, lambda: ZeroDivisionError("division by zero"))
    ended = dcor_server(verb)
    assert (ended.code, ended.out) == (1, "")
    assert "Traceback" not in ended.err
    assert "bug" in ended.err
    assert "ZeroDivisionError" in ended.err
    assert error_boundary.LOG in ended.err
    log = dcor_server.machine.host.read(error_boundary.LOG) or ""
    assert "Traceback" in log
    assert "division by zero" in log


def test_a_bug_in_a_step_ends_the_converge_and_stays_pending(
    dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dcor_server.converged()
    dcor_server.machine.systemd.units["nginx.service"].active = "failed"

    def broken(call: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setitem(dcor_server.machine.programs, "nginx", broken)
    dcor_server.machine.host.write("/etc/dcor-server/nginx.d/own.conf", "gzip on;\n", Access(0o644))
    ended = dcor_server("converge")
    assert (ended.code, "ZeroDivisionError" in ended.err, "Traceback" in ended.err) == (1, True, False)
    host = dcor_server.machine.host
    assert "ZeroDivisionError" in last_converge.read(host).reason
    assert "ZeroDivisionError" in (host.read(last_converge.LOG) or "")
    assert pending.is_pending(host, pending.CONVERGE)


def test_the_exit_codes_of_a_server_whose_postgresql_is_down(dcor_server: CommandLine) -> None:
    dcor_server.converged()
    dcor_server.machine.postgresql.stop_for_good()
    assert {verb: dcor_server(verb).code for verb in ("converge", "status", "check", "get")} == {
        "converge": 1,
        "status": 3,
        "check": 3,
        "get": 0,
    }


def raising(monkeypatch: pytest.MonkeyPatch, exception: Callable[[], BaseException]) -> None:
    """Let whatever loads the settings raise this."""

    def load(host: object) -> None:
        raise exception()

    monkeypatch.setattr(settings_file, "load", load)
