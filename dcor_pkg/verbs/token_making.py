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

#: shows what was made to the administrator: the file, and the password that opens it
Show = Callable[[Issued, str, Secret], None]


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
        except runtime_module.Refused:
            issued.forget(host, {made.id})
            raise
        except BaseException:
            with contextlib.suppress(DcorError):  # CKAN does not answer: the record stays, so the token can be revoked
                revoke(host, [made])
            raise


def _api_token(host: Host, made: Issued) -> Secret:
    about = {"name": made.user, "identity": made.api_token, "end": made.expires}
    return Secret(runtime_module.request(host, MODULE, "create", **about)["token"])


def revoke(host: Host, tokens: Sequence[Issued]) -> None:
    """Revoke access tokens; those that CKAN does not have any more are revoked already. Raises DcorError."""
    runtime_module.request(host, MODULE, "revoke", identities=[it.api_token for it in tokens])
    issued.forget(host, {it.id for it in tokens})


def last_used(host: Host) -> dict[str, int | None]:
    """Return when each API token of an active user was used last, by its name in CKAN's database."""
    found: dict[str, int | None] = runtime_module.request(host, MODULE, "used")
    return found
