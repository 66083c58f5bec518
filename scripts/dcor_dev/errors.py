"""Define the error that the scripts report without a traceback."""

from __future__ import annotations


class DevError(Exception):
    """A build, a root or a machine failed; the text says why, and what to do where that is known."""
