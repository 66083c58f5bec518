"""A machine in a folder, on which anybody may give files to anybody."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

# The real one is Debian's, and not where tests run: its only word that we need is its exception.
sys.modules["debconf"] = types.ModuleType("debconf")
sys.modules["debconf"].DebconfError = type("DebconfError", (Exception,), {})  # type: ignore[attr-defined]

from dcor_pkg import host as host_module
from dcor_pkg.host import Access, Host


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return an empty machine. Who owns a file is remembered beside it: tests need not be root."""
    owners: dict[int, tuple[str, str]] = {}

    def grant(descriptor: int, access: Access) -> None:
        os.fchmod(descriptor, access.mode)
        owners[os.fstat(descriptor).st_ino] = (access.owner, access.group)

    monkeypatch.setattr(host_module, "_grant", grant)
    monkeypatch.setattr(host_module, "_owners", lambda found: owners.get(found.st_ino, ("root", "root")))
    return Host(root=tmp_path)
