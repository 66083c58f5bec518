"""What goes wrong while developing, told to the developer without a traceback."""

from __future__ import annotations


class DevError(Exception):
    """A build, a root or a machine did not become what it should; the text says what to do."""
