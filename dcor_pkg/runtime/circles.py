"""Circles, which CKAN calls organizations: `python -m dcor_runtime.circles REQUEST`, an object in JSON."""

from __future__ import annotations

import sys
from typing import Any

from ckan import model
from ckan.common import config
from dcor_runtime import requested, users
from dcor_runtime.requested import Refused, marked

#: that a name is in use, by whether it is a circle's, and whether that is there
THERE = {
    (True, True): marked("There is a circle {name} already."),
    (False, True): marked("There is a collection {name} already."),
    (True, False): marked("There is a circle {name} already that was deleted, and may be purged at /ckan-admin/trash."),
    (False, False): marked(
        "There is a collection {name} already that was deleted, and may be purged at /ckan-admin/trash."
    ),
}


def create(name: str, admin: str | None) -> dict[str, Any]:
    """Create a circle. CKAN makes who creates it its admin; that is its own account, which is removed, without one."""
    if admin:
        _require_enabled(admin)
    found = model.Group.get(name)
    if found is not None:
        text = THERE[bool(found.is_organization), found.state == "active"]
        raise Refused(text, "Circles and collections have different names.", name=name)
    requested.act("organization_create", user=admin or "", name=name)
    if not admin:
        requested.act("member_delete", id=name, object=config["ckan.site_id"], object_type="user")
    return {"circle": name, "admin": admin}


def add(circle: str, user: str, role: str) -> dict[str, Any]:
    """Give a user a role in a circle, instead of a former one."""
    found = model.Group.get(circle)
    if found is None or not found.is_organization or found.state != "active":
        raise Refused("There is no circle {name}.", "To create it: dcor-server circle create {name}", name=circle)
    identity = _require_enabled(user).id
    memberships = model.Session.query(model.Member)
    member = memberships.filter_by(table_name="user", table_id=identity, group_id=found.id, state="active").first()
    former = member and member.capacity
    if former == role:
        raise Refused(
            "The user {user} is in the circle {circle} already, as {role}.", user=user, circle=circle, role=role
        )
    requested.act("organization_member_create", id=circle, username=user, role=role)
    return {"circle": circle, "user": user, "role": role, "former": former}


def _require_enabled(name: str) -> Any:
    user = users.find(name)
    if user.state == users.DISABLED:
        raise Refused("The user {user} is disabled.", "First: dcor-server user enable {user}", user=name)
    return user


if __name__ == "__main__":
    requested.run({"create": create, "add": add}, sys.argv[1])
