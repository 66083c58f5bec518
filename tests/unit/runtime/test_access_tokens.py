"""API tokens that expire, as CKAN itself refuses them when their time is over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.runtime.conftest import Runtime, module

END = 1798761600


class Tokens(dict[str, Any]):
    """CKAN's table of API tokens, by id; it stands for the model, its session and the query as well."""

    def make(self, user: str, name: str) -> Any:
        owner = SimpleNamespace(state="active")
        return SimpleNamespace(id="chosen by CKAN", user=user, name=name, owner=owner, last_access=None)

    def add(self, token: Any) -> None:
        self[token.id] = token

    def filter_by(self, name: str) -> Iterator[Any]:
        return (it for it in self.values() if it.name == name)

    def revoke(self, identity: str) -> bool:
        return self.pop(identity, None) is not None


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def access_tokens(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tokens: Tokens) -> Any:
    """Return the module; alice has an account, bob's is deleted, eve's is in a state that is not known here."""
    api_token = module("ckan.lib.api_token", encode=lambda claims: claims, into_seconds=seconds)
    users: dict[str, Any | None] = {
        "alice": SimpleNamespace(id="a-1", state="active"),
        "bob": SimpleNamespace(id="b-1", state="deleted"),
        "eve": SimpleNamespace(id="e-1", state="a state of a later CKAN"),
    }
    model = SimpleNamespace(
        ApiToken=_Class(tokens.make, tokens.revoke),
        User=SimpleNamespace(by_name=users.get),
        State=SimpleNamespace(ACTIVE="active"),
        Session=SimpleNamespace(add=tokens.add, commit=lambda: None, query=lambda _: tokens),
    )
    logic = sys.modules["ckan"].logic
    monkeypatch.setitem(sys.modules, "ckan", module("ckan", model=model, logic=logic))
    monkeypatch.setitem(sys.modules, "ckan.lib", module("ckan.lib", api_token=api_token))
    return import_module("dcor_runtime.access_tokens")


class _Class:
    """A class of CKAN's model: it is called, and has a class method."""

    def __init__(self, make: Callable[..., Any], revoke: Callable[[str], bool]) -> None:
        self._make, self.revoke = make, revoke

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)


def seconds(moment: datetime) -> int:
    assert moment.tzinfo is None, "CKAN's times are in UTC and do not say so"
    return int(moment.replace(tzinfo=timezone.utc).timestamp())


def test_a_token_has_an_end_that_ckan_checks_and_its_plugin_shows(access_tokens: Any, tokens: Tokens) -> None:
    answer = access_tokens.create("alice", "-id", END)
    made = tokens["-id"]
    claims = {"jti": "-id", "iat": seconds(made.created_at), "exp": END}
    assert answer == {"token": str(claims)}
    assert (made.user, made.name) == ("a-1", "dcor-server access token")
    assert made.plugin_extras == {"expire_api_token": {"exp": "2027-01-01T00:00:00"}}


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("bob", "The user bob is disabled."),
        ("eve", "The user eve is disabled."),
        ("nobody", "There is no user nobody."),
    ],
)
def test_who_has_no_active_account_gets_no_token(access_tokens: Any, tokens: Tokens, user: str, reason: str) -> None:
    with pytest.raises(access_tokens.Refused) as refused:
        access_tokens.create(user, "id", END)
    assert refused.value.args[0] == reason
    assert tokens == {}


def test_when_tokens_were_used_last(access_tokens: Any, tokens: Tokens) -> None:
    for name in ("never", "once", "of bob"):
        access_tokens.create("alice", name, END)
    tokens["once"].last_access = datetime(2026, 11, 27, 12)  # noqa: DTZ001 (as CKAN has it)
    tokens["of bob"].owner.state = "deleted"
    tokens["foreign"] = SimpleNamespace(name="a token of alice's own")
    assert access_tokens.used() == {"never": None, "once": seconds(tokens["once"].last_access)}


def test_tokens_are_revoked_and_those_that_are_gone_are_no_error(access_tokens: Any, tokens: Tokens) -> None:
    access_tokens.create("alice", "id", END)
    assert access_tokens.revoke(["gone", "id"]) == ["id"]
    assert tokens == {}
