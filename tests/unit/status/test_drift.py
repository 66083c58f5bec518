"""Drift in one line of the status: a warning with the number of steps, and none while the machine is being changed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine import lock, package_manager
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.status import drift, health, notices, questions
from dcor_pkg.status.questions import Question

SAME = Outcome("directory /data", Result.UNCHANGED)
OTHER = Outcome("file /etc/a", Result.WOULD_CHANGE, "is missing")
FAILED = Outcome("database", Result.FAILED, "does not answer", "Start it.")
LEFT = Outcome("site", Result.NOT_REACHED)
NOT_CHECKED = "database cannot be checked, nor what follows: does not answer"


@pytest.fixture(autouse=True)
def directory_of_locks(host: Host) -> None:
    host.make_directory("/run", Access(0o755))


@pytest.mark.parametrize(
    ("outcomes", "detail", "warning"),
    [
        ((SAME, SAME), "as the settings say", ""),
        ((SAME, OTHER), "as the settings say", "1 step differs from the settings: dcor-server check"),
        ((OTHER, OTHER), "as the settings say", "2 steps differ from the settings: dcor-server check"),
        (
            (OTHER, FAILED, LEFT),
            "as the settings say",
            f"1 step differs from the settings: dcor-server check; {NOT_CHECKED}",
        ),
        ((FAILED, LEFT), "as the settings say", NOT_CHECKED),
    ],
)
def test_a_difference_is_a_warning_and_no_problem(
    host: Host, outcomes: Sequence[Outcome], detail: str, warning: str
) -> None:
    found = drift.part(host, lambda _: outcomes)
    assert (found.name, found.problem, found.detail, found.warning) == (drift.NAME, None, detail, warning)


def test_nothing_is_compared_while_another_command_changes_the_machine(host: Host) -> None:
    with lock.held(host):
        found = drift.part(host, lambda _: pytest.fail("compares"))
    assert (found.problem, found.warning, found.detail) == (None, "", "is being changed by another command")


def test_what_has_begun_while_steps_were_compared_counts_as_well(host: Host) -> None:
    with contextlib.ExitStack() as converge:

        def begin(_: Host) -> list[Outcome]:
            converge.enter_context(lock.held(host))
            return [OTHER]

        assert drift.part(host, begin).warning == ""
    assert drift.part(host, lambda _: [OTHER]).warning


def test_after_an_upgrade_of_packages_the_difference_is_no_warning(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    pending.request(host, pending.UPGRADE)
    found = drift.part(host, lambda _: [OTHER])
    assert (found.warning, "dcor-converge.service" in found.detail) == ("", True)
    pending.clear(host, pending.UPGRADE)
    monkeypatch.setattr(package_manager, "is_busy", lambda host: True)
    assert (drift.part(host, lambda _: [OTHER]).warning, drift.part(host, lambda _: []).warning) == ("", "")


@pytest.mark.parametrize("kind", ["raises", "hangs"])
def test_that_the_steps_cannot_be_compared_is_said_and_neither_a_problem_nor_a_warning(
    host: Host, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    over = threading.Event()

    def ask() -> Sequence[Outcome]:
        if kind == "hangs":
            over.wait(60)
        raise DcorError("no time")

    def only(*_: object) -> list[Question]:
        return [Question(drift.NAME, lambda: drift.part(host, lambda _: ask()), is_optional=True)]

    monkeypatch.setattr(health, "SECONDS", 0.5)
    monkeypatch.setattr(questions, "all_of", only)
    monkeypatch.setattr(notices, "sources", lambda host, settings: {})
    wanted = settings.parse({"hostname": "dcor.example.org", "email": "admin@example.org"})
    (found,) = health.examine(host, wanted).parts
    over.set()
    assert (found.problem, found.warning) == (None, "")
    assert found.detail.startswith("is not known: ")
