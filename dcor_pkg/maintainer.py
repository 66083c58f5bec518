"""What dpkg asks for: postinst and prerm. What they end with decides whether apt is usable afterwards.

A first installation that fails says so (1; `dpkg --configure -a` goes on). On a server that once worked an upgrade
never fails: it would block every later run of apt, security updates included. The state is told instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dcor_pkg import converge
from dcor_pkg.answers import debconf_wire
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import pending, report, settings_file
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine import error_boundary, lock
from dcor_pkg.machine.host import Host
from dcor_pkg.verbs import take_answers, take_down

POLICY = "/usr/sbin/policy-rc.d"
FORBIDDEN = 101


def postinst(argv: Sequence[str], debhelper: str) -> int:
    """Carry out `postinst ACTION [VERSION]` (Debian Policy, section 6.5) and return its exit code."""
    os.umask(0o022)
    host, action = Host(), argv[1]

    def work() -> int:
        if action == "configure":
            _take_answers(host)
        return _converge(host) if action in ("configure", "triggered") else 0

    def ended(reason: str, hint: str) -> int:
        return _ended(host, reason, hint)

    # debhelper's part comes last: its timers would begin to heal a server that is not there yet.
    return error_boundary.guard(host, work, ended) or error_boundary.guard(
        host, lambda: _debhelper(host, debhelper, argv[1:]), ended
    )


def prerm(argv: Sequence[str], debhelper: str) -> int:
    """Carry out `prerm ACTION`: on removal the site goes down. What cannot be stopped is told; it never fails."""
    host = Host()

    def work() -> int:
        if argv[1] == "remove":
            take_down.take_down(host, _complain)
        return _debhelper(host, debhelper, argv[1:])

    return error_boundary.guard(host, work, lambda reason, hint: _complain(f"{reason} {hint}"))


def _complain(fault: str) -> int:
    print(f"dcor-server: {fault}", file=sys.stderr)
    return 0


def _take_answers(host: Host) -> None:
    """Save the answers as settings, and hang up: nothing else is changed before, and nothing said."""
    wire = debconf_wire.wire()
    try:
        told = take_answers.take(host, wire, reconfigure=_reconfigured(), probe=_may_start(host))
    finally:
        wire.hang_up()
    for line in told:
        print(f"dcor-server: {line}", flush=True)


def _reconfigured() -> bool:
    return "DEBCONF_RECONFIGURE" in os.environ


def _converge(host: Host) -> int:
    if not _may_start(host):
        print("dcor-server: services may not start here now; the server is set up at its first boot.", flush=True)
        return 0
    try:
        outcomes = converge.converge(host, _tell)
    except lock.Busy as busy:
        pending.request(host, pending.CONVERGE)
        print(f"dcor-server: pending: {busy.reason} The timer dcor-retry tries again.", flush=True)
        return 0
    failure = next((o for o in outcomes if o.result is Result.FAILED), None)
    if failure is not None:
        return _ended(host, f"The step {failure.step} failed, for the reason above.", "")
    print(f"dcor-server: https://{settings_file.load(host).hostname}/ is up ({report.summary(outcomes)}).", flush=True)
    return 0


def _may_start(host: Host) -> bool:
    """Tell whether services may be started: not in a chroot, and not where policy-rc.d (invoke-rc.d(8)) forbids it."""
    if not host.exists("/run/systemd/system"):
        return False
    if not host.exists(POLICY):
        return True
    try:
        host.run(POLICY, "nginx", "start")
    except CommandFailed as refused:
        return refused.code != FORBIDDEN
    return True


def _tell(outcome: Outcome) -> None:
    if outcome.result is not Result.UNCHANGED:
        print(report.line(outcome), flush=True)


def _ended(host: Host, reason: str, hint: str) -> int:
    """Tell why it ended, and return what dpkg may hear of it."""
    converge.note(host, [f"{reason} {hint}".strip()])
    print(f"dcor-server: {reason}", file=sys.stderr)
    if hint:
        print(f"    {hint}", file=sys.stderr)
    if converge.state(host).worked and not _reconfigured():
        print("dcor-server: what ran before goes on; dcor-server status tells more.", file=sys.stderr)
        return 0
    print("    When that is mended: dpkg --configure -a", file=sys.stderr)
    return 1


def _debhelper(host: Host, script: str, arguments: Sequence[str]) -> int:
    """Run what debhelper has put into the script: it is shell (debhelper(7), "Automatic generation").

    It cares for files and units that the package brings, and a reconfiguration brings none.
    """
    if script.strip() and not _reconfigured():
        environment = {name: value for name, value in os.environ.items() if name.startswith(("DPKG_", "DEB_"))}
        print(host.run("sh", "-e", "-c", script, "sh", *arguments, environment=environment), end="", flush=True)
    return 0
