"""What dpkg asks for: postinst and prerm. Their exit codes decide whether apt stays usable.

A first installation ends with a running server. One that fails ends with 1, and `dpkg --configure -a` continues it. On
a server that once worked an upgrade only requests a converge, which a unit carries out when apt has ended: apt upgrades
packages one by one, and what is installed in between was never tested together. It never fails, because that would
block every later run of apt, security updates included.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from dcor_pkg import converge
from dcor_pkg.answers import debconf_wire
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import after_upgrade, last_converge, pending, report, settings_file, updates
from dcor_pkg.machine import error_boundary, lock, output
from dcor_pkg.machine.host import Host
from dcor_pkg.status import fingerprint, notices
from dcor_pkg.tls import acme
from dcor_pkg.verbs import take_answers, take_down
from dcor_pkg.verbs.run_report import message, progress

#: exit codes
OK, FAILED = 0, 1
POLICY = "/usr/sbin/policy-rc.d"
#: exit code of policy-rc.d when a unit must not be started (invoke-rc.d(8))
FORBIDDEN = 101

NOT_STARTED = (
    "Services must not be started here (systemd is not running, or policy-rc.d forbids it), so only the settings were "
    "saved. The server is set up at its first boot."
)
STILL_RUNS = (
    "This does not block apt: what was running before keeps running, and the timer dcor-retry tries again each hour. "
    "dcor-server status shows the state."
)
REQUESTED = (
    "When apt has ended, dcor-converge.service makes what was upgraded serve; until then the former release does. "
    "To wait for it: dcor-server converge --wait"
)
FIRST_SYSADMIN = (
    "No account comes with the server. The first sysadmin, who chooses a password with a link that this prints: "
    "dcor-server user create NAME --email ADDRESS --sysadmin"
)
CONTINUE = "Fix the cause, then run: dpkg --configure -a"
RECONFIGURE = "Fix the cause, then run: dcor-server converge (or dpkg-reconfigure dcor-server, to give other answers)"


def postinst(argv: Sequence[str], debhelper: str) -> int:
    """Carry out `postinst ACTION [VERSION]` (Debian Policy, section 6.5) and return its exit code.

    `debhelper` is the shell code that debhelper has put into the script. It runs last: the timers that it starts would
    otherwise converge a server that is not set up yet.
    """
    os.umask(0o022)
    output.replace_missing_characters()
    host, action = Host(), argv[1]

    def configure() -> int:
        if action == "configure":
            is_new = not any(argv[2:])
            code = _configure(host, lambda: _take_answers(host), is_new=is_new)
            if is_new and (kept := updates.keep_given(host)):
                _say(kept)
            return code
        return _configure(host, lambda: None, is_new=False) if action == "triggered" else OK

    def fail(reason: str, hint: str) -> int:
        return _fail(host, reason, hint)

    return error_boundary.guard(host, configure, fail) or error_boundary.guard(
        host, lambda: _run_debhelper(host, debhelper, argv[1:]), fail
    )


def prerm(argv: Sequence[str], debhelper: str) -> int:
    """Carry out `prerm ACTION` and return 0: on removal the site goes down; what cannot be stopped is reported."""
    output.replace_missing_characters()
    host = Host()

    def remove() -> int:
        if argv[1] == "remove":
            take_down.take_down(host, _complain)
        return _run_debhelper(host, debhelper, argv[1:])

    return error_boundary.guard(host, remove, _complain)


def _take_answers(host: Host) -> None:
    """Save the answers as settings and close the connection to debconf; until then nothing is printed or changed."""
    wire = debconf_wire.wire()
    try:
        messages = take_answers.take(host, wire, reconfigure=_is_reconfiguration(), probe=_may_start(host))
    finally:
        wire.hang_up()
    for text in messages:
        _say(text)


def _configure(host: Host, take_answers: converge.Change, *, is_new: bool) -> int:
    """Take the answers and converge, now or, where a server that once worked is upgraded, when apt has ended."""
    if not _may_start(host):
        take_answers()
        _say(NOT_STARTED)
        return OK
    if last_converge.read(host).worked and not _is_reconfiguration():
        return _request_converge(host, take_answers)
    return _converge(host, take_answers, is_new=is_new)


def _request_converge(host: Host, take_answers: converge.Change) -> int:
    """Take the answers, of which none applies in an upgrade, and request a converge whatever is wrong with them.

    One run of apt configures and triggers this package, and says so once.
    """
    is_first = not pending.is_pending(host, pending.UPGRADE)
    try:
        with lock.held(host):
            take_answers()
    except lock.Busy:
        take_answers()
    finally:
        after_upgrade.request(host)
    if is_first:
        _say(REQUESTED)
    return OK


def _converge(host: Host, take_answers: converge.Change, *, is_new: bool) -> int:
    """Take the answers and converge. Where another command holds the lock, the answers are saved for the next run.

    A first installation ends with what is left to do for the administrator, which `status` repeats.
    """
    try:
        outcomes = converge.converge(host, progress(_print), take_answers)
    except lock.Busy as busy:
        take_answers()
        pending.request(host, pending.CONVERGE)
        _say(f"The server was not set up yet: {busy.reason} The timer dcor-retry does so within an hour.")
        return OK
    failure = converge.first_failure(outcomes)
    if failure is not None:
        return _fail(host, f"The step {failure.step!r} failed: {failure.reason}", failure.hint)
    settings = settings_file.load(host)
    pages = notices.empty_pages(settings) if is_new or _is_reconfiguration() else ()
    for notice in (*pages, *acme.notices(host, settings)):
        _say(str(notice))
    if (news := fingerprint.news(host, settings, outcomes)) is not None:
        _say(news)
    _say(f"https://{settings.hostname}/ is up ({report.summary(outcomes)}).")
    if is_new:
        _say(FIRST_SYSADMIN)
    return OK


def _is_reconfiguration() -> bool:
    """Return whether dpkg-reconfigure(8) has started the script."""
    return "DEBCONF_RECONFIGURE" in os.environ


def _may_start(host: Host) -> bool:
    """Return whether services may be started: not in a chroot, nor where policy-rc.d (invoke-rc.d(8)) forbids it."""
    if not host.exists("/run/systemd/system"):
        return False
    if not host.exists(POLICY):
        return True
    try:
        host.run(POLICY, "nginx", "start")
    except CommandFailed as denied:
        return denied.code != FORBIDDEN
    return True


def _fail(host: Host, reason: str, hint: str) -> int:
    """Log and print a failure, and return the exit code that dpkg gets for it."""
    last_converge.log(host, [f"{reason} {hint}".strip()])
    harmless = last_converge.read(host).worked and not _is_reconfiguration()
    advice = STILL_RUNS if harmless else RECONFIGURE if _is_reconfiguration() else CONTINUE
    _complain(reason, f"{hint}\n{advice}".lstrip())
    return OK if harmless else FAILED


def _run_debhelper(host: Host, script: str, arguments: Sequence[str]) -> int:
    """Run the shell code of debhelper (debhelper(7), "Automatic generation of Debian install scripts").

    It looks after files and units that the package brings; a reconfiguration brings none.
    """
    if script.strip() and not _is_reconfiguration():
        environment = {name: value for name, value in os.environ.items() if name.startswith(("DPKG_", "DEB_"))}
        print(host.run("sh", "-e", "-c", script, "sh", *arguments, environment=environment), end="", flush=True)
    return OK


def _say(text: str) -> None:
    _print(f"dcor-server: {text}")


def _print(line: str) -> None:
    print(line, flush=True)


def _complain(reason: str, hint: str) -> int:
    print(message(reason, hint), file=sys.stderr, flush=True)
    return OK
