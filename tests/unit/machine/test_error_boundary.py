"""The error boundary: an expected failure is shown as it is, a bug as one sentence with its traceback in the log."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import error_boundary
from dcor_pkg.machine.host import Access, Host


def guarded(host: Host, error: Exception | None) -> tuple[int, list[str]]:
    """Return what comes of work that raises an error, or none."""
    said: list[str] = []

    def work() -> int:
        if error is not None:
            raise error
        return 7

    def ended(reason: str, hint: str) -> int:
        said.extend([reason, hint])
        return 1

    return error_boundary.guard(host, work, ended), said


def test_work_that_succeeds_is_left_alone(host: Host) -> None:
    assert guarded(host, None) == (7, [])


def test_an_expected_failure_is_shown_as_it_is(host: Host) -> None:
    assert guarded(host, DcorError("reason", "hint")) == (1, ["reason", "hint"])
    assert not host.exists(error_boundary.LOG)


def test_a_bug_is_recorded_with_its_traceback(host: Host) -> None:
    code, said = guarded(host, KeyError("missing"))
    assert (code, said) == (
        1,
        ["This is a bug in dcor-server (KeyError); its traceback is in /var/log/dcor-server/bugs.log.", ""],
    )
    guarded(host, ValueError("second"))
    log = host.read(error_boundary.LOG) or ""
    assert log.count("Traceback") == 2
    assert "KeyError: 'missing'" in log
    assert host.access(error_boundary.LOG) == Access(0o640, "root", "adm")


@pytest.mark.parametrize("obstacle", ["/var/log/dcor-server", "/var/log"])
def test_where_the_log_cannot_be_written_the_traceback_is_shown(host: Host, obstacle: str) -> None:
    host.write(obstacle, "a file", Access(0o644))
    code, (reason, hint) = guarded(host, KeyError("missing"))
    assert code == 1
    assert reason.startswith("This is a bug in dcor-server (KeyError), and it cannot be recorded: ")
    assert "KeyError: 'missing'" in hint
