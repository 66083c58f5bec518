"""The command on a server that serves, with all that a test instance needs of it."""

from __future__ import annotations

import pytest

from tests.unit.command_line import CommandLine
from tests.unit.test_instance.second import Second


@pytest.fixture
def second(dcor_server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Second:
    return Second(dcor_server.converged(), monkeypatch)
