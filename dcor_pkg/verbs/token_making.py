"""Make access tokens, and revoke them: in CKAN's database, in the record of all of them, and as a file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import exclusive_file
from dcor_pkg.machine.host import Host
from dcor_pkg.tokens import access_file, issued
from dcor_pkg.tokens.issued import Issued
from dcor_pkg.tokens.served import Served
from dcor_pkg.verbs import runtime_module

MODULE = "access_tokens"
#: why a user gets no token, by the state in CKAN
REASONS = {
    "missing": ("There is no user {user}.", "The name is in the address of the user's page: /user/NAME."),
    "deleted": ("The user {user} is disabled.", "First: dcor-server user enable NAME"),
    "pending": ("The user {user} has not set a password yet.", "It is done by the link in the mail from CKAN."),
}

#: shows what was made to the administrator: the file, and the password that opens it
Show = Callable[[Issued, str, Secret], None]


class Refused(DcorError):
    """CKAN has made no token for a user."""


def make(host: Host, current: Served, made: Issued, path: str, show: Show) -> None:
    """Make an access token, write it into a new file, and show its password.

    Whatever fails, an interruption too: then there is neither a file nor a token. Raises DcorError.
    """
    password = access_file.new_password()
    with exclusive_file.made(host, path) as write:
        issued.add(host, made)
        try:
            api_token = _api_token(host, made)
            write(access_file.content(current.certificates, api_token, password))
            show(made, path, password)
        except Refused:
            issued.forget(host, {made.id})
            raise
        except BaseException:
            with contextlib.suppress(DcorError):  # CKAN does not answer: the record stays, so the token can be revoked
                revoke(host, [made])
            raise


def _api_token(host: Host, made: Issued) -> Secret:
    answer = runtime_module.run(host, MODULE, "create", made.user, made.api_token, str(made.expires))
    if answer["state"] != "active":
        reason, hint = REASONS.get(answer["state"], REASONS["deleted"])
        raise Refused(reason.format(user=made.user), hint)
    return Secret(answer["token"])


def revoke(host: Host, tokens: Sequence[Issued]) -> None:
    """Revoke access tokens; those that CKAN does not have any more are revoked already. Raises DcorError."""
    runtime_module.run(host, MODULE, "revoke", *(it.api_token for it in tokens))
    issued.forget(host, {it.id for it in tokens})


def last_used(host: Host) -> dict[str, int | None]:
    """Return when each API token of an active user was used last, by its name in CKAN's database."""
    found: dict[str, int | None] = runtime_module.run(host, MODULE, "used")
    return found
