"""Which access tokens were made, for whom, and what is in them: a state file, without any secret."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, fields

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import clock, paths, state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.tokens import served
from dcor_pkg.tokens.served import Served

STATE = f"{paths.STATE}/access-tokens.json"


@dataclass(frozen=True)
class Issued:
    """An access token that was made; times are in seconds since 1970."""

    #: what an administrator calls it
    id: str
    user: str
    made: int
    expires: int
    hostname: str
    #: SHA-256 of the certificate that it lets programs trust
    fingerprint: str
    #: what the API token in it is called in CKAN's database
    api_token: str

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires <= now()

    def fits(self, current: Served) -> bool:
        """Tell whether programs that have it can reach this server, and trust it."""
        return (self.hostname, self.fingerprint) == (current.hostname, current.fingerprint)


def now() -> int:
    """Return the present moment."""
    return int(clock.now().timestamp())


def new(user: str, expires: int, current: Served) -> Issued:
    """Return what a new access token of a user is, which does not exist yet."""
    return Issued(
        secrets.token_hex(4), user, now(), expires, current.hostname, current.fingerprint, secrets.token_urlsafe(32)
    )


def read(host: Host) -> list[Issued]:
    """Return all access tokens, the oldest first."""
    names = {field.name for field in fields(Issued)}
    found: list[dict[str, str | int]] = state_file.read(host, STATE, [])
    return [Issued(**it) for it in found if set(it) == names]  # type: ignore[arg-type]


def add(host: Host, issued: Issued) -> None:
    """Record one before it is made, so that none is ever forgotten. Raises DcorError."""
    _write(host, [*read(host), issued])


def forget(host: Host, ids: set[str]) -> None:
    """Record that there are no such ones any more. Raises DcorError."""
    _write(host, [it for it in read(host) if it.id not in ids])


def _write(host: Host, issued: list[Issued]) -> None:
    state_file.write(host, STATE, [asdict(it) for it in issued])


def void(host: Host, settings: Settings) -> list[Issued]:
    """Return those that do not open this server any more, although their time is not over. Raises DcorError."""
    issued = [it for it in read(host) if not it.is_expired]
    if not issued:
        return []
    current = served.read(host, settings)
    return [it for it in issued if not it.fits(current)]


def notices(host: Host, settings: Settings) -> list[Notice]:
    """Return how many access tokens are void."""
    try:
        number = len(void(host, settings))
    except DcorError:
        return []  # without a certificate its step fails, and reports it
    if not number:
        return []
    counted = "an access token" if number == 1 else f"{number} access tokens"
    message = f"lists {counted} with another certificate or host name than the server has now, so programs reject it"
    hint = "Make new files for their users: dcor-server token reissue. To see them: dcor-server token list --outdated"
    return [Notice(STATE, message, hint)]
