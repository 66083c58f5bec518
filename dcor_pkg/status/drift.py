"""Drift: whether the machine is as the settings say, as `dcor-server check` finds it, in one line.

It is a warning and no problem: what is broken has a part of its own, a difference may be a change that an administrator
has begun, and the daily converge removes it. While a converge or apt works, or packages were upgraded and the converge
after them has not begun, the machine differs because it has to, and nothing is said of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Outcome, Result
from dcor_pkg.machine import lock, package_manager
from dcor_pkg.machine.host import Host
from dcor_pkg.status.part import Part

NAME = "configuration"
#: checks each step and changes nothing
Compare = Callable[[Host], Sequence[Outcome]]
AS_WANTED = "as the settings say"
MORE = "dcor-server check"


def part(host: Host, compare: Compare) -> Part:
    """Return how many steps differ. Raises DcorError where the settings cannot be used."""
    if under_way := _under_way(host):
        return Part(NAME, None, under_way)
    outcomes = compare(host)
    if under_way := _under_way(host):
        return Part(NAME, None, under_way)  # what differs may be what has changed in the meantime
    return _compared(outcomes)


def _compared(outcomes: Sequence[Outcome]) -> Part:
    differing = [it for it in outcomes if it.result is Result.WOULD_CHANGE]
    failed = next((it for it in outcomes if it.result is Result.FAILED), None)
    said = [f"{_steps(len(differing))}: {MORE}"] if differing else []
    said += [f"{failed.step} cannot be checked, nor what follows: {failed.reason}"] if failed is not None else []
    return Part(NAME, None, AS_WANTED, warning="; ".join(said))


def _steps(number: int) -> str:
    return "1 step differs from the settings" if number == 1 else f"{number} steps differ from the settings"


def _under_way(host: Host) -> str:
    """Return what changes the machine now, or will do so as soon as apt has ended; empty where nothing does."""
    if lock.is_held(host, lock.PATH):
        return "is being changed by another command"
    if package_manager.is_busy(host):
        return "is compared when apt has ended"
    if pending.is_pending(host, pending.UPGRADE):
        return "is brought up to the upgraded packages by dcor-converge.service"
    return ""
