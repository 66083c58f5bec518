"""Downloads: fetched once, and refused when they are not the pinned file, wherever the wrong one comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from dcor_dev import cache, downloads
from dcor_dev.errors import DevError

CONTENT = b"a wheel"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """Gives files of one content, and remembers what it was asked for."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, missing: Mapping[str, str], directory: Path) -> None:
        for name in missing.values():
            self.asked.append(name)
            (directory / name).write_bytes(self.content)


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep downloads in a cache of the test's own."""
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    return tmp_path / "cache/downloads"


def test_a_download_is_fetched_once(tmp_path: Path) -> None:
    server = Server()
    for target in ("first", "second"):
        downloads.provide({SHA256: "a.whl"}, tmp_path / target, server)
        assert (tmp_path / target / "a.whl").read_bytes() == CONTENT
    assert server.asked == ["a.whl"]


def test_a_tampered_download_is_refused_and_not_kept(tmp_path: Path, shelf: Path) -> None:
    with pytest.raises(DevError, match="not the pinned file"):
        downloads.provide({SHA256: "a.whl"}, tmp_path / "target", Server(b"another"))
    assert not (tmp_path / "target").exists()
    assert list(shelf.iterdir()) == []


def test_a_tampered_cache_is_refused(tmp_path: Path, shelf: Path) -> None:
    downloads.provide({SHA256: "a.whl"}, tmp_path / "first", Server())
    (shelf / SHA256 / "a.whl").write_bytes(b"another")
    with pytest.raises(DevError, match=SHA256):
        downloads.provide({SHA256: "a.whl"}, tmp_path / "second", Server())


def test_a_client_that_brings_nothing_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(DevError, match="was not downloaded"):
        downloads.provide({SHA256: "a.whl"}, tmp_path / "target", lambda missing, directory: None)
