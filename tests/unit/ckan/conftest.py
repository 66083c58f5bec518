"""Fixtures for the cures of known issues."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.machine.host import Host
from tests.unit.ckan import upstream


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the cured files."""
    root = tmp_path_factory.mktemp("root")
    upstream.unpack("python3.11", root / "wheels", root / "site")
    registry.cure(Host(root), "/site")
    return root / "site"
