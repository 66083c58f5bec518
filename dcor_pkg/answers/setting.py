"""The columns of a setting's row: everything that the package knows about it, in one place.

Standard library only: debconf asks before this package or its dependencies are unpacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dcor_pkg.answers import validators
from dcor_pkg.answers.validators import LOCAL, Validator

#: Debconf's priorities (debconf-devel(7)): by default those from high upwards are shown.
HIGH, MEDIUM, LOW = "high", "medium", "low"
#: returns the current answer to the question with that key
Get = Callable[[str], str]
Condition = Callable[[Get], bool]


@dataclass(frozen=True)
class Question:
    """How debconf asks for a setting, as `dcor-server/KEY`."""

    priority: str
    #: whether other answers make it worth asking
    condition: Condition = lambda get: True
    #: why an empty answer is invalid while the condition holds; empty where it is valid
    missing: str = ""
    #: what a first installation proposes; {host} is the machine's own name. Empty: the setting's default.
    proposal: str = ""


@dataclass(frozen=True)
class Setting:
    """A row of the table. The text of the question is in debian/dcor-server.templates, and translated in debian/po."""

    default: str
    validator: Validator
    #: for the comment in the settings file, where passwords are not
    description: str = ""
    on_change: str = ""
    #: what to do about an invalid answer
    hint: str = ""
    #: None: in the settings file only
    question: Question | None = None
    #: For a password, the key of the setting that it belongs to. It is stored in secrets/, not in the settings file.
    secret_of: str = ""

    @property
    def debconf_type(self) -> str:
        """The template's type: debconf stores a password in a file for root only."""
        if self.secret_of:
            return "password"
        return "select" if self.validator.choices else "string"

    @property
    def debconf_default(self) -> str:
        """The template's default: empty where the proposal depends on the machine."""
        return "" if self.question and self.question.proposal else self.default

    @property
    def reasons(self) -> tuple[str, ...]:
        """All reasons why an answer may be invalid."""
        missing = self.question.missing if self.question else ""
        return (*self.validator.reasons, missing) if missing else self.validator.reasons


def setting(
    default: str,
    validator: Validator,
    description: str,
    on_change: str,
    hint: str = "",
    question: Question | None = None,
) -> str:
    """Return a field of a dataclass that carries its row; its type is that of the value."""
    row = Setting(default, validator, description, on_change, hint, question)
    value: str = field(default=default, metadata={"row": row})
    return value


def password_of(service: str) -> Setting:
    """Return the row of a service's password: asked for an external service; that of a local one is generated."""
    return Setting(
        default="",
        validator=validators.empty_or(validators.secret),
        question=Question(HIGH, lambda get: get(service) != LOCAL),
        secret_of=service,
    )
