"""A release knows the newest migration of each plugin that it contains."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit.runtime.conftest import Runtime, module


class Scripts:
    """Stands for alembic's ScriptDirectory: the newest revision is the name of the last file."""

    def __init__(self, directory: str) -> None:
        self._files = sorted(Path(directory, "versions").glob("*.py"))

    def get_current_head(self) -> str | None:
        return self._files[-1].stem if self._files else None


def test_a_trial_gets_a_token_of_ckans_own_sysadmin(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []

    class ApiToken:
        def __init__(self, user: str, name: str) -> None:
            self.id, self.user, self.name, self.created_at = "t-1", user, name, 1767225600

    def site_user(context: dict[str, bool], _: object) -> dict[str, str]:
        assert context == {"ignore_auth": True}
        return {"name": "default"}

    session = SimpleNamespace(add=written.append, commit=lambda: written.append("commit"))
    user = SimpleNamespace(get=lambda name: SimpleNamespace(id=f"id of {name}"))
    model = module("ckan.model", ApiToken=ApiToken, User=user, Session=session)
    tokens = module("ckan.lib.api_token", encode=str, into_seconds=lambda moment: moment)
    logic = module("ckan.logic", get_action=lambda name: {"get_site_user": site_user}[name])
    lib = module("ckan.lib", api_token=tokens)
    ckan = module("ckan", model=model, logic=logic, lib=lib)
    names = {"ckan": ckan, "ckan.model": model, "ckan.lib": lib, "ckan.lib.api_token": tokens, "ckan.logic": logic}
    for name, content in {**names, "alembic": module("alembic")}.items():
        monkeypatch.setitem(sys.modules, name, content)
    monkeypatch.setitem(sys.modules, "alembic.script", module("alembic.script", ScriptDirectory=Scripts))
    token = import_module("dcor_runtime.database").trial_token()
    made = written[0]
    assert isinstance(made, ApiToken)
    assert (made.user, made.name, written[1]) == ("id of default", "dcor-server-trial", "commit")
    assert token == str({"jti": "t-1", "iat": 1767225600})


def test_each_plugin_with_migrations_is_found(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in (("alembic", {}), ("alembic.script", {"ScriptDirectory": Scripts})):
        monkeypatch.setitem(sys.modules, name, module(name, **content))
    for file in (
        *("tracking/migration/tracking/alembic.ini", "tracking/migration/tracking/versions/a.py"),
        *("two/migration/first/alembic.ini", "two/migration/first/versions/b.py", "two/migration/first/versions/c.py"),
        *("two/migration/second/alembic.ini", "none/plugin.py", "other/migration/versions/d.py"),
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    found = import_module("dcor_runtime.database").plugin_heads([str(tmp_path), str(tmp_path / "missing")])
    assert found == {"first": "c", "tracking": "a"}
