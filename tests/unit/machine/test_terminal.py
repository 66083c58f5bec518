"""A command on a terminal of its own: what it sees, what its caller sees, and what it cannot reach."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dcor_pkg.kernel import templates

PROGRAM = f"{sys.executable} -I {templates.PACKAGE}/machine/terminal.py"
TIMEOUT_SECONDS = 30.0
CODE = "; echo code $?"
#: session, and number of the controlling terminal, of the process itself (proc(5), "stat")
IDENTITY = "python3 -c 'print(open(\"/proc/self/stat\").read().split()[5:7])'"


def typed(script: str, *answers: tuple[str, str]) -> str:
    """Run a script of bash on a terminal, type each answer when its question is on the screen; return the screen."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvp("bash", ["bash", "--norc", "-c", script.replace("OWN", PROGRAM)])
    screen, waiting = "", list(answers)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (text := _read(terminal, deadline)) is not None:
        screen += text
        while waiting and waiting[0][0] in screen:
            os.write(terminal, waiting.pop(0)[1].encode())
    os.close(terminal)
    os.waitpid(process, 0)
    assert waiting == [], screen
    assert re.search(r"(?<!\r)\n", screen) is None, "A line does not begin in the first column."
    return re.sub(r"\r+\n", "\n", screen)


def _read(terminal: int, deadline: float) -> str | None:
    """Return what is on the terminal next, or None at its end."""
    assert select.select([terminal], [], [], deadline - time.monotonic())[0], "no output, and no end"
    try:
        return os.read(terminal, 65536).decode()
    except OSError:  # pty(7): the other end is closed
        return None


def test_session_and_terminal_differ_from_the_callers() -> None:
    own, inside = re.findall(r"\['(\d+)', '(\d+)'\]", typed(f"{IDENTITY}; OWN {IDENTITY}"))
    assert own[0] != inside[0]
    assert own[1] != inside[1] != "0"


def test_what_is_typed_inside_is_not_typed_for_the_caller(tmp_path: Path) -> None:
    """A kernel may refuse it at all (dev.tty.legacy_tiocsti), but not to root."""
    attack = tmp_path / "attack.py"
    attack.write_text(
        "import fcntl, termios\n"
        f"for sign in b'touch {tmp_path}/typed\\n':\n"
        "    try:\n        fcntl.ioctl(open('/dev/tty'), termios.TIOCSTI, bytes([sign]))\n"
        "    except OSError:\n        pass\n"
    )
    typed(f"OWN python3 {attack}; while read -r -t 1 line; do $line; done")
    assert not (tmp_path / "typed").exists()


def test_no_descriptor_of_the_callers_terminal_is_passed_on() -> None:
    screen = typed("tty; exec 5<>/dev/tty; OWN ls -l /proc/self/fd")
    callers, *links = screen.splitlines()
    assert len([link for link in links if "->" in link]) == 4  # three, and the listed directory
    assert callers not in "".join(links)


@pytest.mark.parametrize("redirection", ["</dev/null >/dev/null", "</dev/null >/dev/null 2>&1", "2>/dev/null | cat"])
def test_whatever_is_redirected_the_callers_terminal_is_out_of_reach(redirection: str) -> None:
    attack = 'python3 -c \'import os; print(open("/proc/self/stat").read().split()[6], file=open("OUT", "w"))\''
    screen = typed(
        f"cd $(mktemp -d); {attack.replace('OUT', 'own')}; OWN {attack.replace('OUT', 'inside')} {redirection}"
        "; cat own inside"
    )
    own, inside = screen.split()
    assert own != inside


@pytest.mark.parametrize(("command", "code"), [("exit 3", 3), ("kill -9 $$", 137), ("kill -TERM $$", 143), ("true", 0)])
@pytest.mark.parametrize("redirection", ["", "</dev/null >/dev/null 2>&1"])
def test_the_exit_code_is_passed_on(command: str, code: int, redirection: str) -> None:
    assert typed(f"OWN bash -c '{command}' {redirection}{CODE}").endswith(f"code {code}\n")


def test_a_program_that_cannot_be_run_is_127() -> None:
    assert (
        typed(f"OWN no-such-program{CODE}")
        == "no-such-program cannot be started: No such file or directory\ncode 127\n"
    )


def test_redirected_output_is_exact_and_errors_stay_on_the_terminal() -> None:
    write = 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000); print("error", file=sys.stderr)'
    screen = typed(f"cd $(mktemp -d); OWN python3 -c '{write}' >out{CODE}; sha256sum <out")
    expected = subprocess.run(["sha256sum"], input=bytes(range(256)) * 1000, capture_output=True, check=True).stdout
    assert screen == f"error\ncode 0\n{expected.decode()}"


def test_input_from_a_pipe_is_passed_on() -> None:
    assert typed(f"echo through | OWN cat{CODE}") == "through\ncode 0\n"


def test_all_output_arrives() -> None:
    assert typed(f"OWN seq 1 30000{CODE}") == "".join(f"{number}\n" for number in range(1, 30001)) + "code 0\n"


def test_questions_are_answered_and_passwords_not_shown() -> None:
    ask = 'import getpass; print(len(getpass.getpass("Password:"))); print(input("name:") * 2)'
    screen = typed(f"OWN python3 -c '{ask}'{CODE}; stty -a", ("Password:", "hush\n"), ("name:", "joe\n"))
    assert screen.startswith("Password:\n4\nname:joe\njoejoe\ncode 0\n")
    assert {"icanon", "echo", "opost"} <= set(screen.replace(";", " ").split()), "the caller's terminal is as before"


def test_a_caller_that_ignores_the_signals_for_the_terminal_does_not_pass_that_on() -> None:
    """tmux does when it starts a command without a shell, for example. The command would read from the background."""
    ask = 'import getpass; print(len(getpass.getpass("Password:")))'
    screen = typed(f"trap '' TTIN TTOU TSTP; OWN python3 -c '{ask}'{CODE}", ("Password:", "hush\n"))
    assert screen == "Password:\n4\ncode 0\n"


def test_lines_begin_in_the_first_column_for_a_program_that_edits_its_line() -> None:
    """It sets the modes that it has found before it had the terminal."""
    ask = "import readline; [print(input(), flush=True) for _ in range(2)]; print(3)"
    screen = typed(f"OWN python3 -c 'print(0); {ask}'{CODE}", ("0\r\n", "one\ntwo\n"))
    assert screen.endswith("\n3\ncode 0\n")


def test_a_password_is_asked_for_on_the_terminal_where_output_is_redirected() -> None:
    ask = 'import getpass; print(getpass.getpass("Password:"))'
    screen = typed(f"OWN python3 -c '{ask}' | tr a-z A-Z", ("Password:", "hush\n"))
    assert (screen.startswith("Password:"), "HUSH" in screen, "hush" in screen) == (True, True, False)


def test_a_pager_behind_it_gets_the_keys() -> None:
    screen = typed(
        'OWN seq 1 3 | (read line; echo "first $line"; read key </dev/tty; echo "got $key")', ("first", "x\n")
    )
    assert screen.replace("\n", " ") == "first 1 x got x "


@pytest.mark.parametrize("before", ["", "input(); "], ids=["in the background", "when it has the terminal"])
def test_ctrl_c_ends_the_command(before: str) -> None:
    """Not a script of bash, which forgets a signal that comes just before it becomes another program."""
    answers = [("begin", "x\n")] if before else []
    program = f'signal.signal(2, signal.SIG_DFL); print("begin"); {before}print("now", flush=True); time.sleep(100)'
    script = f"trap : INT; OWN python3 -u -c 'import signal, time; {program}'{CODE}"
    assert typed(script, *answers, ("now", "\x03")).endswith("code 130\n")


def test_ctrl_z_stops_both_and_they_can_continue() -> None:
    count = "import time; [(print(i, flush=True), time.sleep(0.02)) for i in range(100)]"
    screen = typed(f"set -m; OWN python3 -c '{count}'{CODE}; sleep 1; echo pause; fg", ("\n9\r", "\x1a"))
    before, after = screen.split("pause\n")
    assert "Stopped" in before
    assert "\n99\n" not in before
    assert after.endswith("\n99\n")


def test_the_size_of_the_window_is_passed_on_also_when_it_changes() -> None:
    script = 'trap "stty size; exit" WINCH; stty size; while sleep 0.1; do :; done'
    screen = typed(
        f"stty rows 31 cols 77; (until [ -e $0.$$ ]; do sleep 0.3; stty rows 9 cols 50 </dev/tty; touch $0.$$; done) "
        f"& OWN bash -c '{script}'; rm $0.$$"
    )
    assert screen.split("\n")[:2] == ["31 77", "9 50"]


def test_a_process_that_is_left_behind_is_hung_up_and_not_waited_for() -> None:
    began = time.monotonic()
    screen = typed(f"OWN bash -c 'sleep 300 & echo $!'{CODE}")
    process, code = screen.splitlines()
    assert (code, time.monotonic() - began < 20) == ("code 0", True)
    state = Path(f"/proc/{process}/stat")
    while state.exists() and ") Z " not in state.read_text():
        assert time.monotonic() - began < 20
        time.sleep(0.05)


def test_nothing_takes_the_place_of_a_closed_descriptor() -> None:
    links = typed("OWN ls -l /proc/self/fd <&-")
    assert [link.split()[-1] for link in links.splitlines() if " 0 -> " in link] != ["/dev/null"]
