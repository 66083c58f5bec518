"""The keys of links by which a user chooses a password. Each says when it expires, so that nobody has to remove it."""

from __future__ import annotations

import hmac
import re
import secrets
import time

SECONDS = 3 * 24 * 3600
FORM = re.compile(r"[0-9a-f]{32}-([0-9]+)")


def make() -> str:
    """Return a new key, for the column reset_key of CKAN's table of users."""
    return f"{secrets.token_hex(16)}-{int(time.time()) + SECONDS}"


def is_valid(key: object, stored: str | None) -> bool:
    """Tell whether a key that somebody shows is the stored one, and has not expired.

    A stored key that does not say when it expires was made without this module, and counts as expired.
    """
    form = FORM.fullmatch(stored or "")
    if form is None or not isinstance(key, str):
        return False
    return hmac.compare_digest(key.strip().encode(), form[0].encode()) and time.time() < int(form[1])
