"""Programs read copies of what was proven with them, and so do CKAN's commands after a failed switch."""

from __future__ import annotations

import pytest

from dcor_pkg.ckan import programs
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.ckan.sizes import QUEUES
from dcor_pkg.kernel import managed_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.nginx import upstream

READS = (CKAN_INI, programs.UWSGI_INI)


def configured(host: Host, text: str) -> Programs:
    """Write a configuration as dcor-server does, and return its programs with their copies."""
    managed_file.record(host, CKAN_INI, text)
    host.write(CKAN_INI, text, programs.COPY)
    host.write(programs.UWSGI_INI, "[uwsgi]\n", Access(0o644))
    wanted = programs.wanted(host, "2.11.6-abc", READS)
    programs.copy(host, wanted)
    return wanted


@pytest.fixture
def proven(host: Host) -> Programs:
    """Return programs that nginx points at."""
    found = configured(host, "proven\n")
    host.write(upstream.PATH, found.upstream, Access(0o644))
    return found


def test_a_copy_is_for_the_programs_alone_and_stays_as_it_is(host: Host, proven: Programs) -> None:
    assert programs.copies_drift(host, proven) is None
    other = configured(host, "unproven\n")
    assert (other != proven, programs.serving(host)) == (True, proven)
    assert host.read(f"{proven.directory}/ckan.ini") == "proven\n"
    assert host.access(f"{proven.directory}/ckan.ini") == Access(0o640, "root", "www-data")
    host.remove(f"{other.directory}/uwsgi.ini")
    assert programs.copies_drift(host, other) == f"{other.directory} does not hold the present configuration"
    host.path(f"{proven.directory}/ckan.ini").write_text("unproven\n")
    host.path(f"{proven.directory}/ckan.ini").chmod(0o600)
    assert (
        programs.copies_drift(host, proven)
        == f"{proven.directory}/ckan.ini is root:www-data 0600, not root:www-data 0640"
    )


def test_after_a_failure_commands_read_what_serves(host: Host, proven: Programs) -> None:
    configured(host, "unproven\n")
    programs.put_back(host)
    assert host.read(CKAN_INI) == "proven\n"
    assert managed_file.changed_by_admin(host) == []
    assert programs.wanted(host, proven.release, READS) == proven


def test_what_an_admin_wrote_is_not_put_back(host: Host, proven: Programs) -> None:
    host.write(CKAN_INI, "mine\n", programs.COPY)
    programs.put_back(host)
    assert host.read(CKAN_INI) == "mine\n"


def test_where_nothing_serves_there_is_nothing_to_go_back_to(host: Host) -> None:
    configured(host, "unproven\n")
    programs.put_back(host)
    assert host.read(CKAN_INI) == "unproven\n"


def test_the_web_server_gets_the_sockets_that_nginx_and_the_proof_ask(host: Host) -> None:
    its = Programs("A", "0123abcd")
    (command,) = (
        line
        for line in its.file("/data", QUEUES).text(host).splitlines()
        if line.startswith("command = ") and " web " in line
    )
    assert f" -m dcor_runtime.web {its.socket} {its.probe} " in command
    assert its.upstream.count(f"server unix:{its.socket} ") == 2
