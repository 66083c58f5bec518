"""How the authority was last asked for a certificate: who issued the one that is served, and when it is asked again."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, fields
from typing import Any

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import paths, state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import Message

STATE = f"{paths.STATE}/acme.json"
#: An authority is asked again after 1, 2, 4 ... hours, each day at last: Let's Encrypt lets five validations of a host
#: name fail in an hour, and issues five certificates for the same names in a week (its "Rate Limits"). The timer comes
#: each hour, so a wait is somewhat shorter than whole hours.
HOUR_SECONDS, MOST_HOURS, SLACK_SECONDS = 3600, 24, 300
#: after a certificate that is of no use, which counts for that week
USELESS_HOURS = 48
NOTHING = Message("")


@dataclass(frozen=True)
class State:
    """What is known of the authority; times are in seconds since 1970."""

    #: the directory whose authority has issued the certificate; empty where none has, or it is not known
    issuer: str = ""
    #: attempts that failed in a row, and why the last one did
    failures: int = 0
    reason: Message = NOTHING
    hint: Message = NOTHING
    #: before this moment the authority is not asked again by itself
    next: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether the next attempt has to wait for a failed one; a clock that was ahead makes none wait longer."""
        return 0 < self.next - time.time() <= USELESS_HOURS * HOUR_SECONDS


class NotIssued(DcorError):
    """The authority has issued no certificate. Why is recorded, and said later in the language of who asks."""

    def __init__(self, message: Message, advice: Message) -> None:
        super().__init__(str(message), str(advice))
        self.message, self.advice = message, advice


class Useless(NotIssued):
    """The authority has issued a certificate that cannot be served."""


def read(host: Host) -> State:
    """Return what was recorded last."""
    found: dict[str, Any] = state_file.read(host, STATE, {})
    if set(found) != {field.name for field in fields(State)}:
        return State()
    return State(**{**found, **{name: Message.of(found[name]) for name in ("reason", "hint")}})


def record_failure(host: Host, error: DcorError) -> None:
    """Record why an attempt has failed, and let the next one wait. Raises DcorError."""
    before = read(host)
    hours = USELESS_HOURS if isinstance(error, Useless) else min(2**before.failures, MOST_HOURS)
    moment = time.time() + hours * HOUR_SECONDS - SLACK_SECONDS
    texts = Message(error.reason), Message(error.hint)
    reason, hint = (error.message, error.advice) if isinstance(error, NotIssued) else texts
    _write(host, State(before.issuer, min(before.failures + 1, MOST_HOURS), reason, hint, moment))


def record_issue(host: Host, directory: str) -> None:
    """Record whose certificate is served. Raises DcorError."""
    _write(host, State(directory))


def forget_failures(host: Host) -> None:
    """Let the authority be asked at once. Raises DcorError."""
    _write(host, State(read(host).issuer))


def _write(host: Host, state: State) -> None:
    state_file.write(host, STATE, asdict(state))
