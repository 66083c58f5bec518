"""Whatever fails on the way to another release, the programs that nginx points at stay."""

from __future__ import annotations

import pytest

from dcor_pkg.ckan import programs, supervisor, switch
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.programs import FILES, Programs
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import upstream

FORMER, NEXT = Programs("1.0", "aaaaaaaa"), Programs("2.0", "bbbbbbbb")


@pytest.mark.parametrize(("pointed_at", "kept"), [(FORMER, [FORMER]), (NEXT, [FORMER, NEXT])], ids=["before", "after"])
def test_a_switch_that_fails_before_or_after_nginx_is_pointed_at_the_next(
    host: Host, monkeypatch: pytest.MonkeyPatch, pointed_at: Programs, kept: list[Programs]
) -> None:
    def to(host: Host, wanted: Programs, hostname: str) -> None:
        host.write(upstream.PATH, pointed_at.upstream, Access(0o644))
        raise DcorError("systemctl reload nginx.service ended with 1")

    for each in (FORMER, NEXT):
        host.write(f"{FILES}/dcor-{each.id}.conf", "", Access(0o644))
    host.write(upstream.PATH, FORMER.upstream, Access(0o644))
    monkeypatch.setattr(programs, "wanted", lambda host, release, reads: NEXT)
    monkeypatch.setattr(programs, "copy", lambda host, wanted: None)
    monkeypatch.setattr(Programs, "file", lambda self, data: Settled())
    monkeypatch.setattr(switch, "switch_to", to)
    monkeypatch.setattr(supervisor, "update", lambda host: None)
    with pytest.raises(DcorError):
        ActiveRelease("2.0", "dcor.example.org", "/data", ()).apply(host)
    assert host.names(FILES) == [f"dcor-{each.id}.conf" for each in kept]


class Settled:
    """A file that is as it should be."""

    def check(self, host: Host) -> None:
        return None
