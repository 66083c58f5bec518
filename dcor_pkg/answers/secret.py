"""A secret whose text is masked where it is printed or logged by accident."""

from __future__ import annotations

import hmac

MASK = "<secret>"


class Secret:
    """A password or key: `reveal()` alone returns its text; `str`, `repr`, `format` and `%` return a mask.

    It is not a `str`, so a type checker finds each place that would write it somewhere.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one file or protocol that needs it."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)
