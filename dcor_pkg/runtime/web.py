"""Hold the sockets of the web server, and run uWSGI on them: `python -m dcor_runtime.web SOCKET PROBE COMMAND...`.

uWSGI takes the sockets over by their numbers (uwsgi.ini). When its master process is killed, requests wait in their
queue until the next one has loaded CKAN, instead of failing. TERM lets uWSGI answer the present requests, and end.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

from dcor_runtime import parent

#: requests that wait while CKAN is loaded; the kernel allows 4096 (net.core.somaxconn)
QUEUE = 1024
#: names in the environment of what uWSGI inherits: its sockets, and where CKAN says that it is loaded (wsgi.py)
SOCKET, PROBE, READY = "WEB_SOCKET", "WEB_PROBE", "WEB_READY"
#: what the holder of the sockets waits for: that the server ends, and to be stopped
SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)


def main(arguments: list[str]) -> int:
    """Run the command until TERM, or until it ends before it could serve. Return its exit code."""
    paths, command = arguments[:2], arguments[2:]
    # Taken one by one (sigwait(3)): a handler could run right before the wait for the server, which would go on.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    code = Server(command, dict(zip((SOCKET, PROBE), map(listen, paths)))).run()
    for path in paths:
        Path(path).unlink(missing_ok=True)
    return code


def listen(path: str) -> socket.socket:
    """Listen on a unix socket. It replaces a former one at once, so that no request finds none."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unfinished = Path(f"{path}.new")
    unfinished.unlink(missing_ok=True)
    listener.bind(str(unfinished))
    unfinished.chmod(0o660)
    listener.listen(QUEUE)
    unfinished.rename(path)
    return listener


class Server:
    """uWSGI, started again whenever it ends after it has served."""

    def __init__(self, command: list[str], sockets: dict[str, socket.socket]) -> None:
        self._command, self._sockets = command, sockets
        self._stopping = False

    def run(self) -> int:
        """Run it. Return 0 after TERM, else the exit code of one that did not get as far as to serve."""
        while not self._stopping:
            served, code = self._run_once()
            print(f"The web server has ended with {code}.", flush=True)
            if not served and not self._stopping:
                return code or 1
        return 0

    def _run_once(self) -> tuple[bool, int]:
        """Run it until it ends; return whether CKAN was loaded, and the exit code."""
        ready, told = os.pipe()  # on which it says that CKAN is loaded
        own = os.getpid()
        child = os.fork()
        if child == 0:
            self._become(told, own)
        os.close(told)
        code = self._await(child, ready)
        with os.fdopen(ready, "rb") as pipe:
            return pipe.read(1) != b"", code

    def _await(self, child: int, ready: int) -> int:
        """Wait until it ends, and return its exit code. TERM lets it end.

        While it loads CKAN it would not listen to TERM, and has nothing to finish.
        """
        while True:
            if signal.sigwait(SIGNALS) != signal.SIGCHLD:
                self._stopping = True
                has_served = bool(select.select([ready], [], [], 0)[0])
                os.kill(child, signal.SIGTERM if has_served else signal.SIGKILL)
                continue
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)

    def _become(self, told: int, holder: int) -> NoReturn:
        """Become uWSGI, in the process that was forked. Before CKAN is loaded, it is killed with its parent."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        parent.end_with(holder, signal.SIGKILL)
        inherited = {**{name: it.fileno() for name, it in self._sockets.items()}, READY: told}
        for descriptor in inherited.values():
            os.set_inheritable(descriptor, True)
        try:
            os.execve(self._command[0], self._command, {**os.environ, **{k: str(v) for k, v in inherited.items()}})
        finally:
            os._exit(127)


def loaded() -> None:
    """Say, in uWSGI, that CKAN is loaded: from now on it is started again, and gets TERM if its parent is killed."""
    parent.end_with(os.getppid(), signal.SIGTERM)
    ready = int(os.environ[READY])
    os.write(ready, b"1")
    os.close(ready)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
