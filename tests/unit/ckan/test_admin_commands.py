"""The commands of the manual are links to the active release, in place of python-ckan's own files."""

from __future__ import annotations

import pytest

from dcor_pkg.ckan.admin_commands import AdminCommands
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CURRENT, PACKAGED_CKAN


def test_the_packages_files_are_diverted_and_replaced_by_links(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(Host, "run", lambda _, *argv: calls.append(argv))
    assert AdminCommands().check(host) == f"{PACKAGED_CKAN}/bin/activate is not a link to the active release"
    AdminCommands().apply(host)
    assert AdminCommands().check(host) is None
    links = {name: host.target(f"{PACKAGED_CKAN}/bin/{name}") for name in ("activate", "ckan", "pip", "pip3", "dcor")}
    assert links == {name: f"{CURRENT}/bin/{name}" for name in links}
    diverted = [f"{PACKAGED_CKAN}/bin/{name}" for name in ("activate", "ckan", "pip", "pip3")]
    assert [argv[0] for argv in calls] == ["dpkg-divert"] * 4
    assert [argv[-4:] for argv in calls] == [("--divert", f"{path}.distrib", "--add", path) for path in diverted]
