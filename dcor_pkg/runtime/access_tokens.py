"""API tokens for access tokens, as `dcor-server token` requests it: `python -m dcor_runtime.access_tokens REQUEST`.

CKAN itself refuses a token whose claim `exp` is over (PyJWT, "Expiration Time Claim"), and offers no way
to make one with it but the plugin `expire_api_token`, which requires an end of each token, also of those that
programs ask for without one. So the tokens are made here, with an end where that plugin has it, and CKAN does the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ckan import model
from ckan.lib import api_token
from dcor_runtime import requested
from dcor_runtime.requested import Refused, marked

#: what users see on their page of tokens
NAME = "dcor-server access token"
#: the plugin's name and key
PLUGIN, END = "expire_api_token", "exp"
#: why a user gets no token, by the state in CKAN
REASONS = {
    "missing": (
        marked("There is no user {user}."),
        marked("The name is in the address of the user's page: /user/NAME."),
    ),
    "deleted": (marked("The user {user} is disabled."), marked("First: dcor-server user enable {user}")),
    "pending": (
        marked("The user {user} has not set a password yet."),
        marked("It is done by the link in the mail from CKAN."),
    ),
}


def create(name: str, identity: str, end: int) -> dict[str, Any]:
    """Make a token of a user, by the user's name, that expires at `end` (seconds since 1970).

    `identity` is the token's in CKAN's database, chosen by the caller so that it can be revoked whatever happens.
    """
    user = model.User.by_name(name)
    if user is None or user.state != model.State.ACTIVE:
        state = "missing" if user is None else str(user.state)
        raise Refused(*REASONS.get(state, REASONS["deleted"]), user=name)
    moment = datetime.fromtimestamp(end, timezone.utc).replace(tzinfo=None)
    token = model.ApiToken(user.id, NAME)
    token.id, token.created_at, token.plugin_extras = identity, _now(), {PLUGIN: {END: moment.isoformat()}}
    model.Session.add(token)
    model.Session.commit()
    claims = {"jti": identity, "iat": api_token.into_seconds(token.created_at), END: end}
    return {"token": str(api_token.encode(claims))}


def used() -> dict[str, int | None]:
    """Return when each token of an active user was used last (seconds since 1970, or None), by its identity."""
    tokens = model.Session.query(model.ApiToken).filter_by(name=NAME)
    active = (it for it in tokens if it.owner is not None and it.owner.state == model.State.ACTIVE)
    return {it.id: it.last_access and api_token.into_seconds(it.last_access) for it in active}


def revoke(identities: Sequence[str]) -> list[str]:
    """Revoke tokens, and return which of them there were."""
    return [it for it in identities if model.ApiToken.revoke(it)]


def _now() -> datetime:
    """Return the present moment as CKAN writes it: UTC, without saying so."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


if __name__ == "__main__":
    requested.run({"create": create, "used": used, "revoke": revoke}, sys.argv[1])
