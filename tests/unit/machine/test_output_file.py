"""What a program prints goes into a file that only root may open, unchanged."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine import output_file
from dcor_pkg.machine.host import Access, Host


def test_the_output_is_in_the_file_byte_by_byte(host: Host) -> None:
    output_file.run_into(host, "/backups/x.dump", "printf", r"PGDMP\000\377", user=None, timeout=20)
    assert host.path("/backups/x.dump").read_bytes() == b"PGDMP\0\xff"
    assert host.access("/backups/x.dump") == Access(0o600)


def test_a_program_that_fails_is_named_with_its_message(host: Host) -> None:
    with pytest.raises(CommandFailed) as failed:
        output_file.run_into(host, "/x.dump", "sh", "-c", "echo half; echo no >&2; exit 1", user=None, timeout=20)
    assert (failed.value.code, failed.value.hint) == (1, "no")


def test_a_link_is_not_followed(host: Host) -> None:
    host.link("/x.dump", "/etc/shadow")
    output_file.run_into(host, "/x.dump", "echo", "new", user=None, timeout=20)
    assert (host.target("/x.dump"), host.read("/x.dump"), host.exists("/etc/shadow")) == (None, "new\n", False)


def test_lines_are_reported_as_they_come_without_what_controls_a_terminal(host: Host) -> None:
    """The program goes on when its first line was reported, and not before."""
    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        host.write("/go", "", Access(0o600))

    script = (
        f"printf 'first\\n'; until [ -e {host.path('/go')} ]; do sleep 0.05; done; printf '\\033[2J\\303\\244\\nlast'"
    )
    output_file.run_into(host, "/x.log", "sh", "-c", script, user=None, timeout=20, report=report)
    assert lines == ["first", "?[2Jä", "last"]


def test_a_line_that_cannot_be_reported_ends_nothing_early_and_is_an_error(host: Host) -> None:
    def report(line: str) -> None:
        raise DcorError("no")

    with pytest.raises(DcorError, match="no"):
        output_file.run_into(
            host, "/x.log", "sh", "-c", "echo one; sleep 0.5; echo two", user=None, timeout=20, report=report
        )
    assert host.read("/x.log") == "one\ntwo\n"


def test_the_lines_of_a_program_that_fails_are_reported_before_its_error(host: Host) -> None:
    lines: list[str] = []
    with pytest.raises(CommandFailed):
        output_file.run_into(
            host, "/x.log", "sh", "-c", "echo said; exit 1", user=None, timeout=20, report=lines.append
        )
    assert lines == ["said"]
