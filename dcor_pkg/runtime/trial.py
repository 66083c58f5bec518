"""What dcor-server and the release that it proves both know."""

from __future__ import annotations

#: the name of the token with which it writes
TOKEN = "dcor-server-trial"  # noqa: S105 (a name)
#: the name of a file beside the configuration; a web server uses its database when the file is gone, and makes another
#: one, of which the path is in it, when it waits for that
HOLD = "hold"
#: what the program that migrates prints when it waits for a line before it uses its database
HELD = "held"
