"""Let a converge in a machine stop at a step of the plan, so that it can be cut off there."""

from __future__ import annotations

from dcor_dev.machine import Machine
from power_cut import Moment

from dcor_pkg.answers import settings
from dcor_pkg.machine.facts import Facts
from dcor_pkg.plan import build_plan

RUNNER = "/usr/share/dcor-server/dcor_pkg/kernel/runner.py"
#: the step at which it stops, until the file is removed; and what it makes when it has. A boot begins without both.
NAMED, REACHED = "/run/stop-at", "/run/stopped"
HOOK = f'''

def _stopping(inner):
    import pathlib, time
    named, reached = pathlib.Path("{NAMED}"), pathlib.Path("{REACHED}")

    def is_named(step):
        try:
            return named.read_text() == step.name
        except FileNotFoundError:
            return False

    def converge(step, host):
        while is_named(step):
            reached.touch()
            time.sleep(0.05)
        return inner(step, host)
    return converge


_converge = _stopping(_converge)
'''
ANSWERS = {"hostname": "dcor.example.org", "email": "admin@example.org"}
#: The names of steps depend on none of these.
FACTS = Facts("2.11.6-1~deb12u1", "0" * 64, "3.11.2", (1, 22, 1), ipv6=True, cores=2, memory=4096)
#: all steps of a server with the answers of a test's machine
STEPS = tuple(step.name for step in build_plan(settings.parse(ANSWERS), FACTS))


def install_hook(machine: Machine) -> None:
    """Let the installed package stop at steps; another version of it would not."""
    machine.write("/root/hook.py", HOOK)
    machine.shell(f"cat /root/hook.py >>{RUNNER}")


def at(machine: Machine, step: str) -> Moment:
    """Let the next converge stop before this step, and return the moment at which it has."""
    machine.run("rm", "-f", REACHED)
    machine.write(NAMED, step)
    return lambda machine: machine.path(REACHED).exists()


def go_on(machine: Machine) -> None:
    """Let a converge go on that has stopped, and stop no other one."""
    machine.shell(f"rm -f {NAMED} {REACHED}")
