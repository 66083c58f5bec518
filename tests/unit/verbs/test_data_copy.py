"""Data are copied and counted by their owners: root acts only in directories that nobody else can change."""

from __future__ import annotations

import pytest

from dcor_pkg.machine.host import Access
from dcor_pkg.machine.trusted_path import UntrustedPath
from dcor_pkg.verbs import data_copy
from tests.unit.fake_machine import Machine

OLD, NEW = "/data", "/srv/new"
DIRECTORY, FILE = Access(0o755), Access(0o644)
OF_CKAN, OF_STORE = Access(0o750, "www-data", "www-data"), Access(0o700, "dcor-store", "dcor-store")


@pytest.fixture
def data(machine: Machine) -> Machine:
    """Return a machine with data of root, CKAN and the store, on two levels."""
    host = machine.host
    for path, access in (
        ("", Access(0o711)),
        ("/ckan", OF_CKAN),
        ("/more", DIRECTORY),
        ("/more/o[ther", OF_STORE),
        ("/lost+found", Access(0o700)),
    ):
        host.make_directory(f"{OLD}{path}", access)
    host.write(f"{OLD}/.dcor-server", "id\n", FILE)
    host.write(f"{OLD}/note", "four", FILE)
    host.write(f"{OLD}/more/note", "seven77", FILE)
    host.write(f"{OLD}/ckan/file", "5" * 5, OF_CKAN)
    host.write(f"{OLD}/more/o[ther/file", "11" * 6, OF_STORE)
    host.make_directory(NEW, Access(0o711))
    return machine


def test_each_part_is_copied_by_its_owner_and_root_leaves_it_out(data: Machine) -> None:
    data_copy.copy(data.host, OLD, NEW)
    copies = [call for call in data.calls if call.argv[0] == "rsync"]
    assert [(call.user, *call.argv[-2:]) for call in copies] == [
        (None, f"{OLD}/", f"{NEW}/"),
        ("www-data", f"{OLD}/ckan/", f"{NEW}/ckan/"),
        ("dcor-store", f"{OLD}/more/o[ther/", f"{NEW}/more/o[ther/"),
    ]
    assert {"--exclude=/ckan", "--exclude=/more/o\\[ther", "--exclude=/lost+found"} <= set(copies[0].options)
    for path, access in (("/ckan", OF_CKAN), ("/more/o[ther", OF_STORE)):
        assert data.host.access(f"{NEW}{path}") == access


def test_files_are_counted_by_their_owners_and_markers_are_not_counted(data: Machine) -> None:
    assert data_copy.count(data.host, OLD) == (4, 4 + 7 + 5 + 12)
    assert [(call.user, call.argv[1]) for call in data.calls] == [
        ("www-data", f"{OLD}/ckan"),
        ("dcor-store", f"{OLD}/more/o[ther"),
    ]


@pytest.mark.parametrize("path", ["", "/more"])
def test_what_several_users_can_change_nobody_copies(data: Machine, path: str) -> None:
    data.host.path(f"{OLD}{path}").chmod(0o775)
    for work in (lambda: data_copy.copy(data.host, OLD, NEW), lambda: data_copy.count(data.host, OLD)):
        with pytest.raises(UntrustedPath, match=f"{OLD}{path} may be changed by other users than root"):
            work()
    assert data.ran("rsync") == []


def test_a_link_to_a_directory_is_copied_as_a_link(data: Machine) -> None:
    data.host.link(f"{OLD}/link", "/etc")
    assert data_copy.count(data.host, OLD)[0] == 5
    data_copy.copy(data.host, OLD, NEW)
    assert "--exclude=/link" not in data.ran("rsync")[0]
