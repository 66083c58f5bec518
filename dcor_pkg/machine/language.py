"""The language of messages: English, unless what runs speaks that of the terminal to a person.

The English text is the key of its German one in conf/messages/de.po, which the build compiles for Python's gettext.
Where there is no compiled catalogue, as in a checkout, or none of a language, all is English.
"""

from __future__ import annotations

import contextlib
import gettext
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

#: the languages of messages, the default first
LANGUAGES = ("en", "de")
ENGLISH = LANGUAGES[0]
#: environment variables that name the language of messages, the first one counts (locale(7))
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
#: the compiled catalogues, PLACE/LANGUAGE/LC_MESSAGES/DOMAIN.mo, where Debian has them
DOMAIN, PLACE = "dcor-server", "/usr/share/locale"

_NONE = gettext.NullTranslations()
_catalogue: ContextVar[gettext.NullTranslations] = ContextVar("catalogue", default=_NONE)


def of(environment: Mapping[str, str]) -> str:
    """Return the language of messages, one of LANGUAGES."""
    locale = next((environment[name] for name in VARIABLES if environment.get(name)), "")
    return "de" if locale.lower().startswith("de") else ENGLISH


@contextlib.contextmanager
def spoken(language: str) -> Iterator[None]:
    """Let messages be in one of LANGUAGES, for the length of a block."""
    found = _NONE if language == ENGLISH else gettext.translation(DOMAIN, PLACE, [language], fallback=True)
    before = _catalogue.set(found)
    try:
        yield
    finally:
        _catalogue.reset(before)


def _(text: str) -> str:
    """Return a text in the language that is spoken now. Placeholders in it have names, and are filled afterwards."""
    return text and _catalogue.get().gettext(text)  # gettext's answer to no text is the catalogue's header


def marked(text: str) -> str:
    """Return a text as it is, to be translated when it is used."""
    return text


@dataclass(frozen=True)
class Message:
    """A text and what fills it, apart: to be said by another process, or later, in the language that is spoken there.

    What fills it may be a message as well. A text with nothing to fill it is taken as it is, whatever braces it has.
    """

    text: str
    about: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: str | Mapping[str, Any]) -> Message:
        """Return a message that went through JSON (dataclasses.asdict); what has nothing to fill it may be a text."""
        if isinstance(data, str):
            return cls(data)
        about = {name: cls.of(it) if isinstance(it, dict) else it for name, it in data["about"].items()}
        return cls(data["text"], about)

    def __str__(self) -> str:
        return _(self.text).format(**self.about) if self.about else _(self.text)
