"""What a run records for the next one."""

from __future__ import annotations

import pytest

from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access, Host

PATH = "/var/lib/dcor-server/state.json"


def test_what_is_recorded_is_read_again_by_root_alone(host: Host) -> None:
    assert state_file.read(host, PATH, {"a": 0}) == {"a": 0}
    state_file.write(host, PATH, {"a": 1})
    assert state_file.read(host, PATH, {"a": 0}) == {"a": 1}
    assert host.access(PATH) == Access(0o600)


@pytest.mark.parametrize("text", ["", '{"a": ', "null", "7", "[]", "\0\0"])
def test_a_damaged_file_counts_as_none(host: Host, text: str) -> None:
    host.write(PATH, text, Access(0o600))
    assert state_file.read(host, PATH, {"a": 0}) == {"a": 0}
