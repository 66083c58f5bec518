"""The settings of this server: frozen, typed and validated.

Standard library only: debconf asks before this package or its dependencies are unpacked, and validates with this code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dcor_pkg.answers import server_table, settings_table
from dcor_pkg.answers.settings_table import SettingsTable
from dcor_pkg.errors import DcorError

#: the choices of `certificate`
OWN, SELF_SIGNED, ACME = server_table.OWN, server_table.SELF_SIGNED, server_table.ACME
#: the choices of `acme_challenge`
HTTP_01, DNS_01 = server_table.HTTP_01, server_table.DNS_01
PAGES = settings_table.PAGES
#: the rows by their keys, in the order of the table
ROWS = settings_table.rows()

#: the passwords, each with the setting that it belongs to; kernel.secrets.external(KEY) names the file
PASSWORDS = {key: row.secret_of for key, row in ROWS.items() if row.secret_of}
#: the keys in the settings file
KEYS = tuple(key for key in ROWS if key not in PASSWORDS)
#: those of them that debconf asks
QUESTIONS = tuple(key for key in KEYS if ROWS[key].question)
#: shown instead of a password, in any language
MASK = "..."


class InvalidAnswer(DcorError):
    """An invalid answer to a question, `dcor-server/KEY`. A password in it is masked.

    `problem`: the predicate that says what is wrong; `reason` is the whole sentence.
    """

    def __init__(self, question: str, answer: str, problem: str, hint: str = "") -> None:
        self.question, self.problem = question, problem
        self.key = question.partition("/")[2]
        self.shown = MASK if self.key in PASSWORDS else masked(answer)
        super().__init__(f"{question} = {self.shown!r}: {problem}", hint)


def masked(answer: str) -> str:
    """Return an answer without the password that an address in it may contain: USER:PASSWORD@HOST, or ?password=."""
    scheme = re.match(r"[A-Za-z0-9+.-]*://|", answer)
    start = scheme.end() if scheme else 0
    login, at, host = answer[start:].rpartition("@")
    user, colon, _ = login.partition(":")
    shown = f"{answer[:start]}{user}:{MASK}{at}{host}" if colon else answer
    return re.sub(r"(?i)(password=)[^&\s]*", rf"\1{MASK}", shown)


@dataclass(frozen=True)
class Settings(SettingsTable):
    """Everything that an admin can choose, with valid values only. Raises InvalidAnswer."""

    def __post_init__(self) -> None:
        answers = as_answers(self)
        for key, answer in answers.items():
            validate(key, answer)
        for key in QUESTIONS:
            question = ROWS[key].question
            if question and question.missing and not answers[key] and question.condition(answers.__getitem__):
                raise InvalidAnswer(f"dcor-server/{key}", "", question.missing, ROWS[key].hint)

    @property
    def data(self) -> str:
        """The data directory without a slash at its end."""
        return self.data_directory.rstrip("/")

    @property
    def scratch(self) -> str:
        """The scratch directory without a slash at its end."""
        return self.scratch_directory.rstrip("/")


def default(key: str) -> str:
    """Return the value of a setting that nobody has chosen."""
    return ROWS[key].default


def normal(key: str, answer: str) -> str:
    """Return an answer in the form in which it is validated and stored; an invalid one as it was given."""
    given, validator = answer.strip(), ROWS[key].validator
    found = validator.normal(given)
    return given if validator.problem(found) is not None else found


def validate(key: str, answer: str) -> None:
    """Validate the answer to one question, without regard to the others. Raises InvalidAnswer."""
    problem = ROWS[key].validator.problem(answer)
    if problem is not None:
        raise InvalidAnswer(f"dcor-server/{key}", answer, problem, ROWS[key].hint)


def parse(answers: Mapping[str, str]) -> Settings:
    """Return the settings with these answers; a missing or empty one is the default.

    Raises InvalidAnswer, or DcorError for an unknown key.
    """
    unknown = sorted(set(answers) - set(KEYS))
    if unknown:
        raise DcorError(f"There is no setting {unknown[0]!r}.", hint=f"The settings are: {', '.join(KEYS)}.")
    return Settings(**{key.replace("-", "_"): normal(key, text) for key, text in answers.items() if text.strip()})


def as_answers(settings: Settings) -> dict[str, str]:
    """Return the values of the settings by their keys, as in the settings file and in debconf."""
    return {key: getattr(settings, key.replace("-", "_")) for key in KEYS}
