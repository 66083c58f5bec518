"""CKAN is held before its first connection to the database, and goes on when it may."""

from __future__ import annotations

import io
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dcor_pkg.runtime import trial
from tests.unit.runtime.conftest import Runtime, module


@pytest.fixture
def hold(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module; SQLAlchemy's event is a list of what was registered."""
    listeners: list[Any] = []
    event = module("sqlalchemy.event", listen=lambda *given, **options: listeners.append((given, options)))
    sqlalchemy = sys.modules["sqlalchemy"]
    monkeypatch.setattr(sqlalchemy, "event", event, raising=False)
    monkeypatch.setitem(sys.modules, "sqlalchemy.engine", module("sqlalchemy.engine", Engine="engine"))
    found = import_module("dcor_runtime.hold")
    monkeypatch.setattr(found, "listeners", listeners, raising=False)
    return found


def test_the_first_connection_waits_and_is_made_as_always(hold: Any) -> None:
    called: list[str] = []
    hold.install(lambda: called.append("waited"))
    (((target, name, listener), options),) = hold.listeners
    assert (target, name, options) == ("engine", "do_connect", {"once": True})
    # None: SQLAlchemy asks the next listener, and then connects by itself.
    assert listener("dialect", "record", [], {}) is None
    assert called == ["waited"]


def test_a_web_server_is_held_as_long_as_the_file_is_there(
    hold: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CKAN_INI", str(tmp_path / "ckan.ini"))
    hold.until_removed()
    file, sign = tmp_path / trial.HOLD, tmp_path / "sign"
    file.write_text(str(sign))
    waiting = threading.Thread(target=hold.until_removed)
    waiting.start()
    waiting.join(0.2)
    assert (waiting.is_alive(), sign.exists()) == (True, True)
    file.unlink()
    waiting.join(60)
    assert (waiting.is_alive(), sign.exists()) == (False, False)


def test_what_migrates_says_that_it_waits_and_ends_when_nobody_is_there_any_more(
    hold: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("now\n"))
    hold.until_told()
    assert capsys.readouterr().out == f"{trial.HELD}\n"
    with pytest.raises(SystemExit, match="Nothing was said"):
        hold.until_told()
