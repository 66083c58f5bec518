"""Failures of upstream's suites that are no fault of a server, each with its cause."""

from __future__ import annotations

#: by the suite and the test
CAUSES: dict[tuple[str, str], str] = {}
