"""`dcor-server status`: each part, the last converge and the notices, on one screen and as JSON."""

from __future__ import annotations

from tests.unit.command_line import CommandLine
def test_a(dcor_server: CommandLine) -> None:
    dcor_server.converged()
    print(dcor_server("status"))
    print(dcor_server("check"))
    print(dcor_server("move-data","/new"))
    print(dcor_server("status"))
    print(dcor_server("set","site-title=X"))
    print(dcor_server("ckan","--help"))
    print(dcor_server.machine.host.read("/var/log/dcor-server/bugs.log"))
    assert 0
