"""Make the machine as the settings say, and remember how it went: the one way for apt, timers and admins."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from dcor_pkg import preflight
from dcor_pkg.ckan import programs
from dcor_pkg.kernel import pending, report, settings_file
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine import error_boundary, facts, lock, state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.plan import build_plan

LOG = "/var/log/dcor-server/converge.log"
STATE = "/var/lib/dcor-server/state.json"


@dataclass(frozen=True)
class State:
    """How the last run ended."""

    #: whether a run on this machine has ever ended well
    worked: bool = False
    #: why the last run did not, or ""
    reason: str = ""
    #: what may be done about it, or the words of the program that failed
    hint: str = ""
    #: seconds since 1970
    when: float = 0.0


def converge(host: Host, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Run the plan and return an outcome for each step. Raises DcorError before the first change.

    What does not end well stays due, whyever that is, and the timer dcor-retry tries it again.
    """
    with lock.held(host):
        pending.clear(host, pending.CONVERGE)
        outcomes: list[Outcome] = []
        try:
            outcomes = _run(host, tell)
        finally:
            if not outcomes or report.failed(outcomes):
                pending.request(host, pending.CONVERGE)
    return outcomes


def _run(host: Host, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Run the plan and remember how it went."""

    def heard(outcome: Outcome) -> None:
        if outcome.result is not Result.UNCHANGED:
            note(host, [report.line(outcome)])
        tell(outcome)

    try:
        wanted = settings_file.load(host)
        preflight.check(host, wanted)
        outcomes = run(build_plan(wanted, facts.read(host)), host, tell=heard)
    except Exception as fault:  # noqa: BLE001 (a bug, too, is what became of the run)
        error = error_boundary.as_dcor_error(host, fault)
        _remember(host, error.reason, error.hint)
        note(host, [f"refused: {error.reason} {error.hint}".strip()])
        raise error from None
    failure = next((o for o in outcomes if o.result is Result.FAILED), None)
    if failure is None:
        _remember(host, "")
    else:
        programs.put_back(host)
        _remember(host, f"{failure.step}: {failure.reason}", failure.hint)
    note(host, [report.summary(outcomes)])
    return outcomes


def dry_run(host: Host, tell: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Return what `converge` would do, and touch nothing."""
    return run(build_plan(settings_file.load(host), facts.read(host)), host, dry_run=True, tell=tell)


def state(host: Host) -> State:
    """Return how the last run ended."""
    return State(**state_file.read(host, STATE, {}))


def _remember(host: Host, reason: str, hint: str = "") -> None:
    ended = State(state(host).worked or not reason, reason, hint, time.time())
    state_file.write(host, STATE, asdict(ended))


def note(host: Host, lines: list[str]) -> None:
    """Write lines into the log."""
    host.make_directory("/var/log/dcor-server", Access(0o750, "root", "adm"))
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    host.append(LOG, "".join(f"{stamp} {line}\n" for line in lines), Access(0o640, "root", "adm"))
