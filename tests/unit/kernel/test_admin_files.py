"""Files that an admin adds are read in the order of their names."""

from __future__ import annotations

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import admin_files
from dcor_pkg.machine.host import Access, Host

DIRECTORY = "/etc/dcor-server/nginx.d"


def test_files_with_the_ending_are_read_in_order(host: Host) -> None:
    for name in ("b.conf", "a.conf", ".hidden.conf", "a.conf~", "note.txt"):
        host.write(f"{DIRECTORY}/{name}", name, Access(0o644))
    assert list(admin_files.texts(host, DIRECTORY, ".conf").items()) == [("a.conf", "a.conf"), ("b.conf", "b.conf")]
    assert admin_files.texts(host, "/no/such", ".conf") == {}


def test_one_that_cannot_be_read_is_named(host: Host) -> None:
    host.link(f"{DIRECTORY}/gone.conf", "/nowhere")
    with pytest.raises(DcorError, match=f"^{DIRECTORY}/gone.conf is not a readable file") as failed:
        admin_files.texts(host, DIRECTORY, ".conf")
    assert failed.value.hint == "Fix it, or give it a name without .conf."
