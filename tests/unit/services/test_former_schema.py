"""A schema that Solr cannot load leaves the former one in use, and search works."""

from __future__ import annotations

import time

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan.upgrade_backup import UpgradeBackup
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access
from dcor_pkg.services.solr import former_schema
from dcor_pkg.services.solr import local as solr
from tests.unit.command_line import CommandLine

BROKEN = f"<schema unloadable>\n    {solr.VERSION_FIELD}\n</schema>\n"
OTHER = f'<schema name="ckan-2.12">\n    {solr.VERSION_FIELD}\n</schema>\n'


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return a server whose Solr has the schema of its CKAN."""
    return dcor_server.converged()


def install(server: CommandLine, schema: str) -> None:
    """Have this schema in a new python-ckan."""
    server.machine.packages.versions["python-ckan"] = f"2.11.{len(schema)}-1~deb12u1"
    server.machine.host.write(solr.schema_path(server.machine.host), schema, Access(0o644))


def test_the_former_schema_comes_back_and_search_works(server: CommandLine) -> None:
    host = server.machine.host
    before = host.read(solr.SCHEMA)
    install(server, BROKEN)
    assert server("converge").code == 1
    assert host.read(solr.SCHEMA) == before
    assert solr.problem(host, solr.endpoint(Settings())) is None
    ended = server("converge")
    assert (ended.code, host.read(solr.SCHEMA)) == (1, before)
    assert (
        "! active release: Solr cannot load the schema of the installed CKAN, so it has its former one again"
        in ended.out
    )


def test_a_schema_that_cannot_be_loaded_keeps_nothing_else_from_being_done(server: CommandLine) -> None:
    """Such as nginx's reload for a new certificate."""
    host = server.machine.host
    install(server, BROKEN)
    assert [server("converge").code for _ in range(3)] == [1, 1, 1]
    pending.request(host, pending.RELOAD_NGINX)
    assert server("converge").code == 0
    assert not pending.is_pending(host, pending.RELOAD_NGINX)
    status = server("status")
    assert (status.code, "because active release: Solr cannot load the schema" in status.out) == (3, True)


def test_it_is_tried_again_after_a_day_and_another_one_at_once(server: CommandLine) -> None:
    host = server.machine.host
    install(server, BROKEN)
    server("converge")
    recorded = state_file.read(host, former_schema.STATE_FILE, {"": ""})
    state_file.write(host, former_schema.STATE_FILE, {**recorded, "when": time.time() - 25 * 3600})
    assert "~ solr core: " in server("check").out
    install(server, OTHER)
    assert server("converge").code == 0
    assert host.read(solr.SCHEMA) == solr.crash_safe(OTHER)
    assert not host.exists(former_schema.STATE_FILE)


def test_a_schema_that_solr_has_not_tried_yet_is_not_known_to_be_loadable(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step between the new file and the restart fails, as a backup on a full disk does."""
    host = server.machine.host
    before = host.read(solr.SCHEMA)
    install(server, BROKEN)

    def fail(*_: object) -> str | None:
        raise DcorError("The disk is full.")

    with monkeypatch.context() as context:
        context.setattr(UpgradeBackup, "check", fail)
        assert server("converge").code == 1
    assert solr.problem(host, solr.endpoint(Settings())) is None
    assert server("converge").code == 1
    assert host.read(solr.SCHEMA) == before
    assert solr.problem(host, solr.endpoint(Settings())) is None


def test_after_a_power_cut_the_former_schema_is_still_known(server: CommandLine) -> None:
    host = server.machine.host
    before = host.read(solr.SCHEMA)
    install(server, BROKEN)
    solr.SolrCore().apply(host)
    assert "unloadable" in (host.read(solr.SCHEMA) or "")
    assert server("converge").code == 1
    assert host.read(solr.SCHEMA) == before
