"""Query and control the supervisor of CKAN's unit over its socket, as its command supervisorctl does.

It runs as CKAN's user, whose programs could answer in its place, so what it answers is only believed in its form: the
names of our programs, known states, numbers of processes.
"""

from __future__ import annotations

import re
import time
import xmlrpc.client
from typing import Any

from dcor_pkg.ckan import unit
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_USER

SOCKET = f"{unit.RUNTIME}/supervisor.sock"
#: the command of an administrator who wants to see or stop programs
COMMAND = f"supervisorctl -c {unit.SUPERVISORD}"
#: the hint of every failure here
LOOK = f"See: journalctl --unit={unit.UNIT}. To start it again: systemctl restart {unit.UNIT}"
#: the names of our programs
NAME = re.compile(r"dcor-[A-Za-z0-9.+~-]{1,100}")
RUNNING = "RUNNING"
#: the state of a program that has ended while it started, and is started again in a moment (Supervisor's
#: documentation, "Subprocesses", "Process States")
BACKOFF = "BACKOFF"
#: states in which a program has no process, and gets none by itself
ENDED = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")
STATES = (RUNNING, "STARTING", "STOPPING", BACKOFF, *ENDED)
#: how many programs are looked at; there are four during a switch
MAX_PROGRAMS = 20
#: in seconds since 1970: a number beyond is none of supervisor's
MAX_TIME = 2**40
#: codes of faults that say that there is nothing to do (supervisor/xmlrpc.py, class Faults)
ALREADY_STARTED, NOT_RUNNING, STILL_RUNNING = 60, 70, 91
#: job workers get 600 s for the job that they are working on (programs.conf), and then 60 s to end
STOP_TIMEOUT_SECONDS = 660.0


def states(host: Host) -> dict[str, str]:
    """Return the state of each program of dcor-server; an empty dictionary if supervisor does not answer."""
    return {name: state for name, state, _ in _programs(host)}


def process(host: Host, program: str) -> int:
    """Return the id of a program's process, or 0."""
    return next((process for name, _, process in _programs(host) if name == program), 0)


def age(host: Host, program: str) -> float | None:
    """Return how many seconds ago a program was started, or None where supervisor does not say so."""
    started = {it["name"]: it.get("start") for it in _found(host)}.get(program)
    return max(0.0, time.time() - started) if isinstance(started, int) and abs(started) < MAX_TIME else None


def update(host: Host) -> None:
    """Apply what has changed in the programs' files: start new programs, stop those whose file was removed.

    Raises DcorError.
    """
    added, changed, removed = _changes(_call(host, "reloadConfig"))
    for program in (*removed, *changed):
        _remove(host, program)
    for program in (*added, *changed):
        _call(host, "addProcessGroup", program)


def start(host: Host, program: str) -> None:
    """Start a program, unless it is running or starting. Raises DcorError."""
    if states(host).get(program) in (BACKOFF, *ENDED):
        _call(host, "startProcess", program, False, unless=ALREADY_STARTED)


def stop(host: Host, program: str, timeout: float = STOP_TIMEOUT_SECONDS) -> None:
    """Stop a program, and wait until it has finished its present work. Raises DcorError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (state := states(host).get(program, "STOPPED")) not in ENDED:
        if state != "STOPPING":
            _call(host, "stopProcess", program, False, unless=NOT_RUNNING)
        if time.monotonic() > deadline:
            raise DcorError(
                f"The program {program} did not stop within {timeout:.0f} s.", hint=f"{COMMAND} status {program}"
            )
        time.sleep(0.1)


def _remove(host: Host, program: str) -> None:
    """Stop a program, and let supervisor forget it. Raises DcorError.

    One that ended by itself may be started again in between. One that was told to stop is not, so it is asked twice at
    most: who answers in supervisor's place must not hold root for ever.
    """
    stop(host, program)
    if _call(host, "removeProcessGroup", program, unless=STILL_RUNNING) is None:
        stop(host, program)
        _call(host, "removeProcessGroup", program)


def _programs(host: Host) -> list[tuple[str, str, int]]:
    """Return name, state and process of each of our programs; none if supervisor does not answer."""
    return [(it["name"], it["statename"], it["pid"]) for it in _found(host)]


def _found(host: Host) -> list[dict[str, Any]]:
    """Return what supervisor knows of each of our programs; nothing if it does not answer."""
    try:
        found = _call(host, "getAllProcessInfo")
    except DcorError:
        return []
    items = found if isinstance(found, list) else []
    return [it for it in items if _is_program(it)][:MAX_PROGRAMS]


def _is_program(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    return _is_name(item.get("name")) and item.get("statename") in STATES and isinstance(item.get("pid"), int)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def _changes(found: Any) -> list[list[str]]:
    """Return the names of added, changed and removed programs from the answer to reloadConfig. Raises DcorError."""
    parts = found[0] if isinstance(found, list) and len(found) == 1 else None
    if (
        isinstance(parts, list)
        and [isinstance(part, list) and all(map(_is_name, part)) for part in parts] == [True] * 3
    ):
        return parts
    raise DcorError("The supervisor of CKAN does not say which programs have changed.", hint=LOOK)


def _call(host: Host, method: str, *arguments: Any, unless: int = 0) -> Any:
    """Call a method of supervisor; return None for the fault `unless`. Raises DcorError for others."""
    try:
        return unix_http.rpc(str(host.path(SOCKET)), CKAN_USER, f"supervisor.{method}", *arguments)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode == unless:
            return None
        reason = f"The supervisor of CKAN answers {method}{arguments} with {ascii(fault.faultString)[:200]}."
        raise DcorError(reason, hint=LOOK) from None
    except DcorError as error:
        raise DcorError(error.reason, hint=LOOK) from None
