"""`dcor-server status`: each part, the last converge and the notices, on one screen and as JSON."""

from __future__ import annotations

from tests.unit.command_line import CommandLine
def test_a(dcor_server: CommandLine) -> None:
    try:
        x=[dcor_server.converged()("status"), dcor_server("check"),dcor_server("move-data","/new"),dcor_server("status")]
        print(x)
    finally:
        print(dcor_server.machine.host.read("/var/log/dcor-server/bugs.log"))
    assert 0
