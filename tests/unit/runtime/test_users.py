"""What `dcor-server user` does in CKAN, whose model is lists in memory."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.runtime.conftest import Runtime, module


class Model:
    """CKAN's model of users and API tokens."""

    State = SimpleNamespace(ACTIVE="active", DELETED="deleted")
    ApiToken = "ApiToken"

    def __init__(self) -> None:
        self.users: list[Any] = []
        self.tokens: list[str] = []
        self.is_saved = True
        self.User = SimpleNamespace(all=lambda: self.users, get=self.by_name, by_name=self.by_name)
        self.Session = self
        self.repo = SimpleNamespace(commit=lambda: setattr(self, "is_saved", True))

    def by_name(self, name: str) -> Any:
        return next((user for user in self.users if user.name == name), None)

    def add(self, name: str, **more: Any) -> Any:
        about = {"fullname": "", "email": f"{name}@example.org", "sysadmin": False, "state": "active"}
        times = {"created": datetime(2026, 11, 1, tzinfo=timezone.utc), "last_active": None}
        user = SimpleNamespace(
            id=f"id-{name}", name=name, reset_key=None, plugin_extras=None, **{**about, **times, **more}
        )
        self.users.append(user)
        return user

    def query(self, _: str) -> Model:
        return self

    def filter_by(self, user_id: str) -> Any:
        def delete() -> int:
            found = len(self.tokens)
            self.tokens = [token for token in self.tokens if token != user_id]
            return found - len(self.tokens)

        return SimpleNamespace(delete=delete)


@pytest.fixture
def ckan(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Return the model, with CKAN's own account and alice."""
    model = Model()
    monkeypatch.setattr(sys.modules["ckan"], "model", model)
    monkeypatch.setitem(sys.modules, "flask", module("flask"))
    monkeypatch.setitem(sys.modules, "flask_login", module("flask_login"))
    runtime.config["ckan.site_id"] = "default"
    model.add("default", sysadmin=True, email=None)
    model.add("alice")

    def create(_: object, data: dict[str, Any]) -> None:
        about = dict(data)
        model.add(about.pop("name"), **about)

    actions = {"get_site_user": lambda *_: {"name": "default"}, "user_create": create}
    monkeypatch.setattr(sys.modules["ckan"].logic, "get_action", actions.get, raising=False)
    return model


def test_a_new_user_has_a_password_that_nobody_knows_and_a_link(runtime: Runtime, ckan: Model) -> None:
    made = runtime.users.create("bob", "bob@example.org", "Bob", sysadmin=True)
    bob = ckan.by_name("bob")
    assert made == {
        "user": "bob",
        "email": "bob@example.org",
        "path": f"/user/reset/id-bob?key={bob.reset_key}",
    }
    assert runtime.reset_key.is_valid(bob.reset_key, bob.reset_key)
    assert (bob.fullname, bob.sysadmin, len(bob.password)) == ("Bob", True, 43)
    assert bob.password not in json.dumps(made)


@pytest.mark.parametrize(
    ("name", "email", "said"),
    [
        ("alice", "new@example.org", "There is a user alice already."),
        ("default", "new@example.org", "There is a user default already."),
        ("bob", "Alice@Example.org", "The user alice has the address Alice@Example.org already."),
    ],
)
def test_nobody_is_created_twice(runtime: Runtime, ckan: Model, name: str, email: str, said: str) -> None:
    with pytest.raises(runtime.requested.Refused) as refused:
        runtime.users.create(name, email, "", sysadmin=False)
    assert refused.value.args[0] == said
    assert len(ckan.users) == 2


def test_a_new_link_makes_the_former_one_void(runtime: Runtime, ckan: Model) -> None:
    first, second = (runtime.users.link("alice")["path"].partition("key=")[2] for _ in range(2))
    stored = ckan.by_name("alice").reset_key
    assert [runtime.reset_key.is_valid(key, stored) for key in (first, second)] == [False, True]


def test_a_disabled_user_has_neither_tokens_nor_a_link(runtime: Runtime, ckan: Model) -> None:
    runtime.users.link("alice")
    ckan.tokens = ["id-alice", "id-bob", "id-alice"]
    assert runtime.users.disable("alice") == {"user": "alice", "changed": True, "tokens": 2}
    alice = ckan.by_name("alice")
    assert (alice.state, alice.reset_key, ckan.tokens) == ("deleted", None, ["id-bob"])
    assert runtime.users.disable("alice") == {"user": "alice", "changed": False, "tokens": 0}
    with pytest.raises(runtime.requested.Refused, match="alice is disabled"):
        runtime.users.link("alice")
    assert runtime.users.enable("alice") == {"user": "alice", "changed": True}
    assert alice.state == "active"
    assert not runtime.users.enable("alice")["changed"]
    assert runtime.sessions.number(alice) == 2


def test_a_user_whose_address_another_one_has_by_now_is_not_enabled(runtime: Runtime, ckan: Model) -> None:
    runtime.users.disable("alice")
    runtime.users.create("bob", "alice@example.org", "", sysadmin=False)
    with pytest.raises(runtime.requested.Refused, match="The user bob has the address"):
        runtime.users.enable("alice")
    assert ckan.by_name("alice").state == "deleted"


def test_a_sysadmin_is_made_once(runtime: Runtime, ckan: Model) -> None:
    changes = [runtime.users.sysadmin("alice", on=on)["changed"] for on in (True, True, False, False)]
    assert changes == [True, False, True, False]
    assert not ckan.by_name("alice").sysadmin


@pytest.mark.parametrize("name", ["default", "nobody"])
def test_who_is_not_there_and_the_account_of_ckan_are_left_alone(runtime: Runtime, ckan: Model, name: str) -> None:
    users = runtime.users
    for act in (users.link, users.disable, users.enable, lambda name: users.sysadmin(name, on=False)):
        with pytest.raises(runtime.requested.Refused):
            act(name)
    assert ckan.by_name("default").state == "active"


def test_users_are_shown_without_the_account_of_ckan(runtime: Runtime, ckan: Model) -> None:
    ckan.add("Zoe", state="deleted", last_active=datetime(2026, 11, 2, 3, tzinfo=timezone.utc), email=None)
    shown = runtime.users.show()["users"]
    assert [(it["name"], it["state"], it["email"]) for it in shown] == [
        ("Zoe", "disabled", ""),
        ("alice", "active", "alice@example.org"),
    ]
    assert [it["last_active"] for it in shown] == ["2026-11-02T03:00:00+00:00", None]
    assert datetime.fromisoformat(shown[0]["created"]) == ckan.by_name("Zoe").created


class Invalid(Exception):
    """ValidationError, of CKAN."""

    def __init__(self) -> None:
        self.error_summary = {"Email": "is odd"}


def said(text: str, email: str = "") -> dict[str, Any]:
    """Return a text of a refusal with what fills it, about the user or about what CKAN says of an address."""
    return {"text": text, "about": {"said": f"Email: {email}"} if email else {"user": "alice"}}


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (None, {"hello": "alice"}),
        ("refused", {"refused": [said("{user} is no user."), said("Try {user}.")]}),
        ("invalid", {"refused": [said("CKAN does not accept it ({said}).", "is odd"), said("", "is odd")]}),
    ],
)
def test_a_request_is_answered_in_json(
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: str | None,
    printed: object,
) -> None:
    requested = runtime.requested
    monkeypatch.setattr(requested.logic, "ValidationError", Invalid)

    class Context:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    app = SimpleNamespace(_wsgi_app=SimpleNamespace(test_request_context=Context))
    monkeypatch.setattr(requested, "application", module("application", load=lambda: app))

    def greet(name: str) -> dict[str, str]:
        if error:
            raise (
                requested.Refused("{user} is no user.", "Try {user}.", user="alice") if error == "refused" else Invalid
            )
        return {"hello": name}

    requested.run({"greet": greet}, json.dumps({"do": "greet", "name": "alice"}))
    assert json.loads(capsys.readouterr().out) == printed


class Circles:
    """CKAN's organizations and their members: what its actions have made of them."""

    def __init__(self, ckan: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        self.groups: dict[str, Any] = {}
        self.roles: dict[tuple[str, str], str] = {}
        monkeypatch.setattr(ckan, "Group", SimpleNamespace(get=self.groups.get), raising=False)
        monkeypatch.setattr(ckan, "Member", "Member", raising=False)
        monkeypatch.setattr(ckan, "query", lambda _: SimpleNamespace(filter_by=self.member))
        logic = sys.modules["ckan"].logic
        monkeypatch.setattr(logic, "get_action", lambda name: getattr(self, name), raising=False)

    def member(self, table_name: str, table_id: str, group_id: str, state: str) -> Any:
        assert (table_name, state) == ("user", "active")
        role = self.roles.get((group_id, table_id))
        return SimpleNamespace(first=lambda: role and SimpleNamespace(capacity=role))

    def put(self, name: str, *, is_organization: bool = True, state: str = "active") -> None:
        self.groups[name] = SimpleNamespace(id=f"id-{name}", is_organization=is_organization, state=state)

    def get_site_user(self, *_: object) -> Any:
        return {"name": "default"}

    def organization_create(self, context: Any, data: Any) -> None:
        self.put(data["name"])
        self.roles[f"id-{data['name']}", f"id-{context['user']}"] = "admin"

    def member_delete(self, _: object, data: Any) -> None:
        del self.roles[f"id-{data['id']}", f"id-{data['object']}"]

    def organization_member_create(self, _: object, data: Any) -> None:
        self.roles[f"id-{data['id']}", f"id-{data['username']}"] = data["role"]


@pytest.fixture
def circles(ckan: Model, monkeypatch: pytest.MonkeyPatch) -> Circles:
    return Circles(ckan, monkeypatch)


@pytest.mark.parametrize(("admin", "roles"), [(None, {}), ("alice", {("id-beads", "id-alice"): "admin"})])
def test_the_admin_of_a_circle_is_the_one_that_was_named_or_nobody(
    runtime: Runtime, circles: Circles, admin: str | None, roles: dict[tuple[str, str], str]
) -> None:
    assert runtime.circles.create("beads", admin) == {"circle": "beads", "admin": admin}
    assert circles.roles == roles


@pytest.mark.parametrize(
    ("state", "is_organization", "said"),
    [
        ("active", True, "There is a circle beads already."),
        ("active", False, "There is a collection beads already."),
        ("deleted", True, "There is a circle beads already that was deleted"),
    ],
)
def test_a_name_is_used_once(runtime: Runtime, circles: Circles, state: str, is_organization: bool, said: str) -> None:
    circles.put("beads", is_organization=is_organization, state=state)
    with pytest.raises(runtime.requested.Refused) as refused:
        runtime.circles.create("beads", "alice")
    assert refused.value.args[0].startswith(said)
    assert circles.roles == {}


def test_a_user_gets_a_role_once_and_another_one_instead(runtime: Runtime, circles: Circles) -> None:
    circles.put("beads")
    assert runtime.circles.add("beads", "alice", "editor")["former"] is None
    with pytest.raises(runtime.requested.Refused, match="alice is in the circle beads already, as editor"):
        runtime.circles.add("beads", "alice", "editor")
    assert runtime.circles.add("beads", "alice", "admin")["former"] == "editor"
    assert circles.roles == {("id-beads", "id-alice"): "admin"}


@pytest.mark.parametrize(("circle", "user"), [("nothing", "alice"), ("group", "alice"), ("beads", "nobody")])
def test_who_or_what_is_not_there_gets_no_role(runtime: Runtime, circles: Circles, circle: str, user: str) -> None:
    circles.put("beads")
    circles.put("group", is_organization=False)
    with pytest.raises(runtime.requested.Refused, match="There is no"):
        runtime.circles.add(circle, user, "member")
    assert circles.roles == {}


def test_a_disabled_user_gets_no_role(runtime: Runtime, circles: Circles) -> None:
    sys.modules["ckan"].model.by_name("alice").state = "deleted"
    circles.put("beads")
    with pytest.raises(runtime.requested.Refused, match="alice is disabled"):
        runtime.circles.create("new-one", "alice")
    with pytest.raises(runtime.requested.Refused, match="alice is disabled"):
        runtime.circles.add("beads", "alice", "member")
    assert set(circles.groups) == {"beads"}
