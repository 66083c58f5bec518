"""What a run records for the next one."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access, Host

PATH = "/var/lib/dcor-server/state.json"


def test_what_is_recorded_is_read_again_by_root_alone(host: Host) -> None:
    assert state_file.read(host, PATH, {"a": 0}) == {"a": 0}
    state_file.write(host, PATH, {"a": 1})
    assert state_file.read(host, PATH, {"a": 0}) == {"a": 1}
    assert host.access(PATH) == Access(0o600)


def test_an_empty_file_is_as_good_as_none(host: Host) -> None:
    host.write(PATH, "", Access(0o600))
    assert state_file.read(host, PATH, 7) == 7


def test_a_damaged_file_is_named(host: Host) -> None:
    host.write(PATH, '{"a": ', Access(0o600))
    with pytest.raises(DcorError, match=f"^{PATH}, in which dcor-server records its state, is damaged") as failed:
        state_file.read(host, PATH, {})
    assert "move it away" in failed.value.hint
