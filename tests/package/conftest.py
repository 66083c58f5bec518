"""Unpack each built package once."""

from __future__ import annotations

from pathlib import Path

import pytest
from deb import Deb, unpack


@pytest.fixture(scope="session")
def content(debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Deb]:
    """Return all our packages by name."""
    target = tmp_path_factory.mktemp("content")
    found = [unpack(path, target) for path in debs]
    return {deb.name: deb for deb in found}
