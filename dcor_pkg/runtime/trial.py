"""What dcor-server and the release that it proves both know: the name of the token with which it writes."""

from __future__ import annotations

TOKEN = "dcor-server-trial"  # noqa: S105 (a name)
