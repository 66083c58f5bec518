"""A release knows the newest migration of each plugin that it contains."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.unit.runtime.conftest import Runtime, module


class Scripts:
    """Stands for alembic's ScriptDirectory: the newest revision is the name of the last file."""

    def __init__(self, directory: str) -> None:
        self._files = sorted(Path(directory, "versions").glob("*.py"))

    def get_current_head(self) -> str | None:
        return self._files[-1].stem if self._files else None


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
