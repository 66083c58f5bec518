"""Receive systemd-nspawn's notification that its machine has booted, instead of polling."""

from __future__ import annotations

import os
import select
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dcor_dev.errors import DevError

if TYPE_CHECKING:
    from typing_extensions import Self


class NotifySocket:
    """The socket for the sd_notify(3) messages of systemd-nspawn; to be closed when the machine has booted.

    Each daemon-reload in the machine sends more messages. With ten unread messages nspawn blocks, and with it the
    machine's process 1.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def wait_until_ready(self, pid: int, deadline: float) -> None:
        """Wait for READY=1.

        Raises DevError when the process `pid` ends before, or at `deadline` (in the seconds of time.monotonic()).
        """
        while "READY=1" not in self._next(pid, deadline).splitlines():
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _next(self, pid: int, deadline: float) -> str:
        ended = os.pidfd_open(pid)
        watched: list[Any] = [self._socket, ended]
        try:
            ready, _, _ = select.select(watched, [], [], max(0.0, deadline - time.monotonic()))
        finally:
            os.close(ended)
        if self._socket not in ready:
            raise DevError("stopped before it had booted" if ready else "did not boot in time")
        return self._socket.recv(4096).decode(errors="replace")
