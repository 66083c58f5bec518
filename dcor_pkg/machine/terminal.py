"""Run a command in a session, and on a terminal, of its own: `python3 -I terminal.py COMMAND [ARGUMENT...]`.

Root runs CKAN's commands so. On root's own terminal, another process of CKAN's user could take over the command, open
/dev/tty in it, and type for root (TIOCSTI, ioctl_tty(2)), or stay behind and read root's keys. Here the command gets a
new terminal in the place of each standard descriptor that is one; pipes and files are passed on as they are, and other
descriptors not at all. It needs the standard library only, since packages and releases have copies of this file.

Three processes: the caller, this one, relays between both terminals; the leader leads the new session; the command has
a process group in it, which begins in the background. If it reads from the terminal or sets its modes there, SIGTTIN or
SIGTTOU stops it (termios(3)), the leader reports that, and only then the caller relays keys: `ckan ... | less` leaves
them to less. Ctrl-Z stops caller and command.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import sys
import termios
import tty
from collections.abc import Sequence
from typing import NoReturn

STANDARD = (0, 1, 2)
#: passed on to the command
FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP, signal.SIGWINCH)
WANTS_TERMINAL = (signal.SIGTTIN, signal.SIGTTOU)
#: ignored by Python, and not by the command
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
BLOCK_BYTES = 65536
#: how long output may be on its way through the kernel when the command has ended
DRAIN_SECONDS = 0.2
#: exit codes, as shells have them: the command cannot be run; it was ended by signal N
NOT_RUN, ENDED_BY_SIGNAL = 127, 128


def main(command: Sequence[str]) -> int:
    """Run the command to its end, and return its exit code."""
    while os.open(os.devnull, os.O_RDWR) <= STANDARD[-1]:
        pass  # no descriptor of ours may take the place of a closed one
    terminals = [descriptor for descriptor in STANDARD if os.isatty(descriptor)]
    if not terminals and os.getpgrp() != os.getpid():  # setsid(2) rejects the leader of a process group
        os.setsid()
        _execute(command)
    master, slave = os.openpty() if terminals else (-1, -1)
    reports, leaders_end = socket.socketpair()
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    leader = os.fork()
    if leader == 0:
        _lead(command, terminals, slave, leaders_end)
    leaders_end.close()
    caller = Caller(leader, reports, _own_terminal(terminals), master)
    if terminals:
        os.close(slave)
    for number in FORWARDED:
        signal.signal(number, lambda got, _: caller.forward(got))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    with contextlib.closing(caller):
        caller.relay()
    return _exit_code(os.waitpid(leader, 0)[1])


class Caller:
    """The side of the caller: carries output, and keys once the command wants them."""

    def __init__(self, leader: int, reports: socket.socket, own: int, master: int) -> None:
        """Take the leader's process and reports, and the descriptors of both terminals (-1 where there are none)."""
        self.leader, self.reports, self.own, self.master = leader, reports, own, master
        self.reads_keys, self.keys = False, b""
        if master >= 0:
            self.modes = termios.tcgetattr(own)
            os.set_blocking(master, False)
            termios.tcsetattr(master, termios.TCSANOW, self.modes)
            self._copy_size()

    def relay(self) -> None:
        """Relay until the leader has ended, and then what is left of the output."""
        outputs = [self.master] if self.master >= 0 else []
        while True:
            inputs = [self.own] if self.reads_keys and not self.keys else []
            sources = [self.reports.fileno(), *outputs, *inputs]
            ready, writable, _ = select.select(sources, outputs if self.keys else [], [])
            if writable:
                self.keys = self.keys[os.write(self.master, self.keys) :]
            if self.own in ready:
                self.keys = _read(self.own)
                self.reads_keys = bool(self.keys)
            if self.master in ready:
                self._copy_output()
            if self.reports.fileno() in ready and not self._answer(self.reports.recv(1)):
                break
        while select.select(outputs, [], [], DRAIN_SECONDS)[0] and self._copy_output():
            pass

    def forward(self, number: int) -> None:
        """Pass a signal on to the command."""
        if number == signal.SIGWINCH and self.master >= 0:
            self._copy_size()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.leader, number)

    def close(self) -> None:
        """Close the new terminal, which hangs up on what the command has left behind."""
        self._release_terminal()
        if self.master >= 0:
            os.close(self.master)

    def _answer(self, report: bytes) -> bool:
        """Give a stopped command what it needs, and let it continue; False where the leader has ended."""
        if not report:
            return False
        if report[0] in WANTS_TERMINAL:
            # In the background this stops us, until somebody brings us to the foreground. What was typed before counts.
            tty.setraw(self.own, termios.TCSADRAIN)
            self.reads_keys = True
            self._ends_lines()
        else:
            self._release_terminal()
            _stop_own_group()
        self.reports.send(report)
        return True

    def _release_terminal(self) -> None:
        """Give the caller's terminal its modes back, unless others have it by now."""
        with contextlib.suppress(OSError, termios.error):  # it has been closed
            if self.reads_keys and os.tcgetpgrp(self.own) == os.getpgrp():
                termios.tcsetattr(self.own, termios.TCSADRAIN, self.modes)
        self.reads_keys = False

    def _ends_lines(self) -> bool:
        """Return whether the new terminal ends lines with carriage returns, and let the caller's do the same."""
        processing = termios.tcgetattr(self.master)[1] & termios.OPOST
        with contextlib.suppress(termios.error):  # the caller's terminal has been closed
            modes = termios.tcgetattr(self.own)
            if self.reads_keys and modes[1] & termios.OPOST != processing:
                modes[1] ^= termios.OPOST
                termios.tcsetattr(self.own, termios.TCSADRAIN, modes)
        return bool(processing)

    def _copy_size(self) -> None:
        with contextlib.suppress(OSError):  # the caller's terminal has been closed
            size = fcntl.ioctl(self.own, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)

    def _copy_output(self) -> bool:
        """Copy a block of output; False at its end. What a closed terminal does not take is lost, as without us."""
        data = block = _read(self.master)
        if block and self._ends_lines():
            data = data.replace(b"\r\n", b"\n")
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self.own, data) :]
        return bool(block)


def _lead(command: Sequence[str], terminals: Sequence[int], slave: int, reports: socket.socket) -> NoReturn:
    """Lead the new session: start the command, report when it is stopped, and end as it ends."""
    os.setsid()
    if terminals:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in terminals:
        os.dup2(slave, descriptor)
    os.closerange(STANDARD[-1] + 1, reports.fileno())
    os.closerange(reports.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
    child = _start(command)
    while os.WIFSTOPPED(status := os.waitpid(child, os.WUNTRACED)[1]):
        _give_terminal(terminals, os.getpgrp())
        reports.send(bytes([os.WSTOPSIG(status)]))
        reports.recv(1)
        if os.WSTOPSIG(status) in WANTS_TERMINAL:
            _give_terminal(terminals, child)
        _signal_group(child, signal.SIGCONT)
    # The kernel hangs up on those in the foreground when we end.
    _give_terminal(terminals, child)
    os._exit(_exit_code(status))


def _start(command: Sequence[str]) -> int:
    """Start the command in a process group of its own, pass signals on to it, and return its process."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        # The caller may have ignored them, as tmux does. Then nothing would stop the command in the background.
        for number in (*FORWARDED, *WANTS_TERMINAL):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _execute(command)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    for number in FORWARDED:
        signal.signal(number, lambda got, _: _signal_group(child, got))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    return child


def _give_terminal(terminals: Sequence[int], group: int) -> None:
    """Bring a process group to the foreground, if there are a terminal and a process of the group."""
    with contextlib.suppress(OSError):
        for descriptor in terminals[:1]:
            os.tcsetpgrp(descriptor, group)


def _execute(command: Sequence[str]) -> NoReturn:
    """Become the command, with the standard descriptors only."""
    os.closerange(STANDARD[-1] + 1, os.sysconf("SC_OPEN_MAX"))
    for number in IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], [*command])
    except OSError as error:
        os.write(STANDARD[-1], f"{command[0]} cannot be started: {error.strerror}\n".encode())
        os._exit(NOT_RUN)


def _own_terminal(terminals: Sequence[int]) -> int:
    """Return a descriptor of the caller's terminal, to read and to write."""
    with contextlib.suppress(OSError):  # a terminal that does not control this session
        return os.open("/dev/tty", os.O_RDWR) if terminals else -1
    return terminals[0]


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def _stop_own_group() -> None:
    """Stop this process and its pipeline, as the terminal's own Ctrl-Z would, until somebody continues them."""
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(0, signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, before)


def _read(terminal: int) -> bytes:
    """Return what can be read; nothing at the end, which for a terminal is an error (pty(7))."""
    with contextlib.suppress(OSError):
        return os.read(terminal, BLOCK_BYTES)
    return b""


def _exit_code(status: int) -> int:
    """Return the exit code for a status of wait(2)."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else ENDED_BY_SIGNAL - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
