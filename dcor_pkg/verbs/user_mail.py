"""The mail with the link by which a user chooses a password: in both languages, as nobody knows which one is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What the mail says in one language, with the values in braces."""

    subject: str
    text: str


ENGLISH = Words(
    "Choose a password",
    "You have an account at {site}\nwith the name {user}.\n\n"
    "With this link you choose a password, once and within {days} days:\n\n{link}\n\n"
    "Questions: {contact}\n",
)
GERMAN = Words(
    "Wählen Sie ein Passwort",
    "Sie haben ein Konto bei {site}\nmit dem Namen {user}.\n\n"
    "Mit diesem Link wählen Sie ein Passwort, einmal und innerhalb von {days} Tagen:\n\n{link}\n\n"
    "Fragen: {contact}\n",
)
LANGUAGES = (ENGLISH, GERMAN)
SEPARATOR = "\n* * *\n\n"


def subject() -> str:
    """Return the subject."""
    return " / ".join(words.subject for words in LANGUAGES)


def text(*, site: str, user: str, days: int, link: str, contact: str) -> str:
    """Return the text."""
    values = {"site": site, "user": user, "days": days, "link": link, "contact": contact}
    return SEPARATOR.join(words.text.format(**values) for words in LANGUAGES)
