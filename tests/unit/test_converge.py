"""A converge that does not succeed stays pending, so that a timer runs it again."""

from __future__ import annotations

import pytest

from dcor_pkg import converge
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import last_converge, pending, settings_file
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine import error_boundary, lock
from dcor_pkg.machine.host import Host

CHANGED, FAILED = Outcome("one", Result.CHANGED), Outcome("two", Result.FAILED)


@pytest.fixture
def host(host: Host) -> Host:
    """Return a machine with a directory for locks."""
    host.path("/run").mkdir()
    return host


@pytest.mark.parametrize(("outcomes", "is_pending"), [([CHANGED], False), ([CHANGED, FAILED], True)])
def test_a_converge_is_pending_when_a_step_has_failed(
    host: Host, monkeypatch: pytest.MonkeyPatch, outcomes: list[Outcome], is_pending: bool
) -> None:
    pending.request(host, pending.CONVERGE)
    monkeypatch.setattr(converge, "_run", lambda host, tell: outcomes)
    converge.converge(host, lambda outcome: None)
    assert pending.is_pending(host, pending.CONVERGE) is is_pending


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError])
def test_a_converge_is_pending_after_any_exception(
    host: Host, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    def run(host: Host, tell: object) -> list[Outcome]:
        raise end

    monkeypatch.setattr(converge, "_run", run)
    with pytest.raises(end):
        converge.converge(host, lambda outcome: None)
    assert pending.is_pending(host, pending.CONVERGE)


def test_a_converge_that_found_the_lock_held_stays_pending_when_the_other_one_succeeds(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(host: Host, tell: object) -> list[Outcome]:
        with pytest.raises(lock.Busy), lock.held(host, 0.0):
            pass
        pending.request(host, pending.CONVERGE)
        return [CHANGED]

    monkeypatch.setattr(converge, "_run", run)
    converge.converge(host, lambda outcome: None)
    assert pending.is_pending(host, pending.CONVERGE)


def test_a_bug_is_recorded_as_the_reason_with_its_traceback_in_the_log(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_file, "load", lambda host: 1 // 0)
    with pytest.raises(DcorError, match="bug in dcor-server"):
        converge.converge(host, lambda outcome: None)
    assert "bug in dcor-server (ZeroDivisionError)" in last_converge.read(host).reason
    assert "ZeroDivisionError" in (host.read(error_boundary.LOG) or "")
