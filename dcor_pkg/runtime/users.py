"""CKAN's users, as `dcor-server user` requests it: `python -m dcor_runtime.users REQUEST`, an object in JSON."""

from __future__ import annotations

import secrets
import sys
from datetime import datetime, timezone
from typing import Any

from ckan import model
from ckan.common import config
from dcor_runtime import requested, reset_key, sessions
from dcor_runtime.requested import Refused, marked

ACTIVE, DISABLED = "active", "deleted"
USED = marked("The user {user} has the address {address} already.")


def create(name: str, email: str, full_name: str, *, sysadmin: bool) -> dict[str, Any]:
    """Create a user with a password that nobody knows; the link is the only way in."""
    if model.User.get(name) is not None:
        raise Refused(
            "There is a user {user} already.", "For a new link: dcor-server user reset-link {user}", user=name
        )
    if (other := _user_of(email)) is not None:
        raise Refused(USED, "Give another address, or use that account.", user=other, address=email)
    unknown = secrets.token_urlsafe(32)
    requested.act("user_create", name=name, email=email, fullname=full_name, password=unknown, sysadmin=sysadmin)
    return link(name)


def link(name: str) -> dict[str, Any]:
    """Give a user a new link; the former one is void."""
    user = find(name)
    if user.state == DISABLED:
        raise Refused("The user {user} is disabled.", "First: dcor-server user enable {user}", user=name)
    key, path, email = reset_key.make(), f"/user/reset/{user.id}", user.email
    user.reset_key = key
    model.repo.commit()
    return {"user": name, "email": email, "path": f"{path}?key={key}"}


def disable(name: str) -> dict[str, Any]:
    """End the sessions of a user, who cannot sign in any more; delete the API tokens and the link.

    CKAN looks at the state with each request. The circles stay, for the case that the user is enabled again.
    """
    user = find(name)
    changed = user.state != DISABLED
    user.state, user.reset_key = DISABLED, None
    sessions.end(user)
    tokens = model.Session.query(model.ApiToken).filter_by(user_id=user.id).delete()
    model.repo.commit()
    return {"user": name, "changed": changed, "tokens": tokens}


def enable(name: str) -> dict[str, Any]:
    """Let a user sign in again."""
    user = find(name)
    changed = user.state != ACTIVE
    if changed and user.email and (other := _user_of(user.email)) is not None:
        hint = marked("Disable that one first, or change the address at {page}.")
        raise Refused(USED, hint, user=other, address=user.email, page=f"/user/edit/{name}")
    user.state = ACTIVE
    model.repo.commit()
    return {"user": name, "changed": changed}


def sysadmin(name: str, *, on: bool) -> dict[str, Any]:
    """Let a user be a sysadmin, or not."""
    user = find(name)
    changed = bool(user.sysadmin) != on
    user.sysadmin = on
    model.repo.commit()
    return {"user": name, "changed": changed}


def show() -> dict[str, Any]:
    """Return all users but CKAN's own, by name."""
    users = sorted(model.User.all(), key=lambda user: str(user.name))
    return {"users": [_shown(user) for user in users if user.name != config["ckan.site_id"]]}


def find(name: str) -> Any:
    """Return the user with this name, in any state. Raises Refused, also for the account that CKAN itself uses."""
    if name == config["ckan.site_id"]:
        raise Refused("{user} is the account that CKAN itself works with.", "Name another user.", user=name)
    user = model.User.by_name(name)
    if user is None:
        raise Refused("There is no user {user}.", "dcor-server user list shows all users.", user=name)
    return user


def _user_of(email: str) -> str | None:
    """Return whose account that is not disabled has this address; two such could not sign in by it."""
    users = (user for user in model.User.all() if user.state != DISABLED)
    return next((user.name for user in users if (user.email or "").lower() == email.lower()), None)


def _shown(user: Any) -> dict[str, Any]:
    seen: datetime | None = user.last_active
    return {
        "name": user.name,
        "full_name": user.fullname or "",
        "email": user.email or "",
        "sysadmin": bool(user.sysadmin),
        "state": "disabled" if user.state == DISABLED else user.state,
        "created": user.created and user.created.astimezone().isoformat(timespec="seconds"),
        "last_active": seen and seen.replace(tzinfo=timezone.utc).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    functions = {
        "create": create,
        "link": link,
        "disable": disable,
        "enable": enable,
        "sysadmin": sysadmin,
        "show": show,
    }
    requested.run(functions, sys.argv[1])
