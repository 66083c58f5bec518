"""CKAN's commands do not get the terminal of root, who runs them, and work there as others do."""

from __future__ import annotations

import re
import time
import uuid

import pytest
import terminal
from dcor_dev.machine import Machine

TYPED = "/run/typed-for-root"
#: Run by CKAN's user in a command of root's: say who one is, and type for whoever reads from one's terminal.
ATTACK = f"""
import fcntl, os, termios
stat = open("/proc/self/stat").read().rpartition(")")[2].split()
print("user", os.getuid(), "session", stat[3], "terminal", stat[4], "size", *os.get_terminal_size(), "end")
print("descriptors", sorted({{os.path.realpath(f"/proc/self/fd/{{name}}") for name in os.listdir("/proc/self/fd")}}), "end")
try:
    with open("/dev/tty") as terminal:
        for sign in b"touch {TYPED}\\n":
            fcntl.ioctl(terminal, termios.TIOCSTI, bytes([sign]))
    print("typed", "it")
except OSError as error:
    print("refused", error)
"""
SHELL = "env PS1='root: ' bash --norc --noprofile -i"
SELF = "echo self $(cut -d' ' -f 6,7 /proc/$$/stat) $(tty) end"


@pytest.mark.parametrize("command", ["ckan shell", "dcor-server ckan shell"])
def test_a_command_of_ckan_has_another_terminal_and_cannot_type_for_root(server: Machine, command: str) -> None:
    """Linux since 6.2 may refuse TIOCSTI at all (dev.tty.legacy_tiocsti), so the terminals are compared as well."""
    server.write("/srv/attack.py", ATTACK)
    server.run("rm", "-f", TYPED)
    with terminal.running(server, SHELL) as root:
        root.type(SELF, "Enter")
        session, own, name = _words(root, r"\nself (\d+) (\d+) (\S+) end")
        root.type(command, "Enter")
        _words(root, r"\n(>>> |In \[1\]: )")
        root.type("exec(open('/srv/attack.py').read())", "Enter")
        user, other_session, other, *size = _words(
            root, r"\nuser (\d+) session (\d+) terminal (\d+) size (\d+) (\d+) end"
        )
        (descriptors,) = _words(root, r"\ndescriptors (.*) end")
        assert (user, size) == ("33", ["80", "24"])
        assert other_session != session
        assert other not in (own, "0")
        assert f"'{name}'" not in descriptors
        root.expect(">>> ")
        root.type("exit()", "Enter")
        _words(root, r">>> exit\(\)\s+(root:)")
        root.type("echo the shell is $((40 + 2))", "Enter")
        root.expect("the shell is 42")
    assert server.run("ls", TYPED, check=False).returncode == 2, "CKAN's user has typed a command for root."


def test_output_into_a_file_is_exact_and_the_exit_code_is_passed_on(server: Machine) -> None:
    with terminal.running(server, "ckan --help >/srv/help; echo first $?; ckan no-such-command") as root:
        output = root.wait_for_exit(2)
    assert "first 0" in output
    assert "no-such-command" in output
    assert server.path("/srv/help").read_bytes().decode() == server.run("ckan", "--help").stdout


def test_a_command_asks_for_a_password_on_roots_terminal(server: Machine) -> None:
    name = f"asked-{uuid.uuid4().hex[:8]}"
    with terminal.running(server, f"ckan user add {name} email={name}@example.org") as root:
        root.answer("Password :", "hush-hush-hush", "Enter")
        root.answer("onfirm", "hush-hush-hush", "Enter")
        assert "hush" not in root.wait_for_exit()
    assert name in server.run("ckan", "user", "list").stdout


def test_a_stuck_command_is_ended_by_ctrl_c(server: Machine) -> None:
    with terminal.running(server, "ckan jobs worker of-nobody 2>&1 | tee /srv/worker") as root:
        server.shell("until pgrep -u www-data -f 'jobs worker of-nobody'; do sleep 0.2; done")
        root.type("C-c")
        root.expect(terminal.EXITED)
    assert server.run("pgrep", "-u", "www-data", "-f", "jobs worker of-nobody", check=False).returncode == 1


def _words(root: terminal.Terminal, pattern: str) -> tuple[str, ...]:
    """Return the groups of a pattern as soon as it is on the screen."""
    deadline = time.monotonic() + terminal.TIMEOUT_SECONDS
    while (found := re.search(pattern, root.text())) is None:
        assert time.monotonic() < deadline, root.text()
        time.sleep(0.2)
    return found.groups()
