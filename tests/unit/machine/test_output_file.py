"""What a program prints goes into a file that only root may open, unchanged."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine import output_file
from dcor_pkg.machine.host import Access, Host


def test_the_output_is_in_the_file_byte_by_byte(host: Host) -> None:
    output_file.run_into(host, "/backups/x.dump", "printf", r"PGDMP\000\377", user=None, timeout=20)
    assert host.path("/backups/x.dump").read_bytes() == b"PGDMP\0\xff"
    assert host.access("/backups/x.dump") == Access(0o600)


def test_a_program_that_fails_is_named_with_its_message(host: Host) -> None:
    with pytest.raises(CommandFailed) as failed:
        output_file.run_into(host, "/x.dump", "sh", "-c", "echo half; echo no >&2; exit 1", user=None, timeout=20)
    assert (failed.value.code, failed.value.hint) == (1, "no")


def test_a_link_is_not_followed(host: Host) -> None:
    host.link("/x.dump", "/etc/shadow")
    output_file.run_into(host, "/x.dump", "echo", "new", user=None, timeout=20)
    assert (host.target("/x.dump"), host.read("/x.dump"), host.exists("/etc/shadow")) == (None, "new\n", False)
