"""Commands for the PostgreSQL cluster of a machine, whatever its version."""

from __future__ import annotations

#: Stop it as an administrator does who does not want it to start again: then nothing starts it.
STOP_FOR_GOOD = "for conf in /etc/postgresql/*/main/start.conf; do echo disabled >$conf; done; systemctl stop 'postgresql@*-main.service'"
#: Undo that.
LET_START = (
    "for conf in /etc/postgresql/*/main/start.conf; do echo auto >$conf; done; systemctl daemon-reload; "
    "systemctl start postgresql"
)
