"""Files are downloaded once, and rejected when they are not the pinned ones, from the server or from the cache."""

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
    """Provides files of one content, and records the requests."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.requests: list[str] = []

    def __call__(self, missing: Mapping[str, str], directory: Path) -> None:
        for name in missing.values():
            self.requests.append(name)
            (directory / name).write_bytes(self.content)


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of downloads in a cache of the test's own."""
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    return tmp_path / "cache/downloads"


def test_a_file_is_downloaded_once(tmp_path: Path) -> None:
    server = Server()
    for target in ("first", "second"):
        downloads.provide({SHA256: "a.whl"}, tmp_path / target, server)
        assert (tmp_path / target / "a.whl").read_bytes() == CONTENT
    assert server.requests == ["a.whl"]


def test_a_modified_download_is_rejected_and_not_cached(tmp_path: Path, stored: Path) -> None:
    with pytest.raises(DevError, match="not the pinned file"):
        downloads.provide({SHA256: "a.whl"}, tmp_path / "target", Server(b"another"))
    assert not (tmp_path / "target").exists()
    assert list(stored.iterdir()) == []


def test_a_modified_file_in_the_cache_is_rejected(tmp_path: Path, stored: Path) -> None:
    downloads.provide({SHA256: "a.whl"}, tmp_path / "first", Server())
    (stored / SHA256 / "a.whl").write_bytes(b"another")
    with pytest.raises(DevError, match=SHA256):
        downloads.provide({SHA256: "a.whl"}, tmp_path / "second", Server())


def test_a_missing_download_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DevError, match="was not downloaded"):
        downloads.provide({SHA256: "a.whl"}, tmp_path / "target", lambda missing, directory: None)
