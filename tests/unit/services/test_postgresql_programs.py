"""The newest version's own programs are used, or what is in the path where there are none."""

from __future__ import annotations

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.postgresql import programs


def test_the_newest_version_that_has_a_program_is_used(host: Host) -> None:
    assert (programs.newest(host, "psql"), programs.path(host, "psql")) == ("", "psql")
    for version in ("9.6", "15", "13"):
        host.write(f"{programs.DIRECTORY}/{version}/bin/psql", "", Access(0o755))
    host.write(f"{programs.DIRECTORY}/17/bin/postgres", "", Access(0o755))
    assert (programs.newest(host, "psql"), programs.newest(host, "postgres")) == ("15", "17")
    assert programs.path(host, "psql") == "/usr/lib/postgresql/15/bin/psql"
