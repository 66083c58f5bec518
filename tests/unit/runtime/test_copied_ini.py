"""Whoever starts CKAN with a copy of the server's ckan.ini and another database is told so."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.unit.runtime.conftest import Runtime, module

LIVE = {
    "sqlalchemy.url": "postgresql://www-data@/ckan_default",
    "SECRET_KEY": "signs",
    "dcor_object_store.secret_access_key": "opens",
}
OTHER = {"sqlalchemy.url": "postgresql://www-data@/test", "__file__": "/srv/test.ini"}


@pytest.fixture
def copied_ini(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the module on a server whose ckan.ini it can read."""
    loader = module("ckan.cli", CKANConfigLoader=lambda _: SimpleNamespace(get_config=lambda: LIVE))
    monkeypatch.setitem(sys.modules, "ckan.cli", loader)
    found: ModuleType = runtime.copied_ini
    (tmp_path / "ckan.ini").touch()
    monkeypatch.setattr(found, "LIVE", str(tmp_path / "ckan.ini"))
    return found


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({**LIVE, **OTHER}, "the keys of the server's object store and the server's secret key (/srv/test.ini)"),
        ({**LIVE, **OTHER, "SECRET_KEY": "x"}, "with the keys of the server's object store (/srv/test.ini)"),
        ({**OTHER, "SECRET_KEY": "signs"}, "with the server's secret key (/srv/test.ini)"),
    ],
)
def test_a_copy_is_told_once(
    copied_ini: ModuleType, caplog: pytest.LogCaptureFixture, config: dict[str, str], words: str
) -> None:
    for _ in range(2):
        copied_ini.warn(config)
    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.WARNING, "ckanext.dcor_runtime.copied_ini")
    assert words in record.getMessage()
    assert not {"signs", "opens"} & set(record.getMessage().replace(":", " ").split())


@pytest.mark.parametrize(
    "config",
    [
        {**LIVE, "__file__": "/etc/ckan/default/ckan.ini"},
        {**OTHER, "SECRET_KEY": "x", "dcor_object_store.secret_access_key": "y"},
        {**LIVE, **OTHER, "__file__": "/var/lib/dcor-server/configurations/2.11.6-abc.f69960eb/ckan.ini"},
    ],
    ids=["the server", "secrets of its own", "a former configuration of the server"],
)
def test_others_are_not_told(copied_ini: ModuleType, caplog: pytest.LogCaptureFixture, config: dict[str, str]) -> None:
    copied_ini.warn(config)
    assert caplog.records == []


def test_a_user_who_cannot_read_the_servers_file_is_not_told(
    copied_ini: ModuleType, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copied_ini, "LIVE", "/nowhere/ckan.ini")
    copied_ini.warn({**LIVE, **OTHER})
    assert caplog.records == []
