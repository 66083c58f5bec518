"""CKAN's core in Solr: what Solr is given to read."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.pending import REBUILD_INDEX, is_pending
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI, CURRENT
from dcor_pkg.services.solr import cores
from dcor_pkg.services.solr import local as solr

SCHEMA = "/usr/lib/ckan/default/lib/python3.99/site-packages/ckan/config/solr/schema.xml"
INSTALLED = f'<schema name="ckan-2.11">\n    {solr.VERSION_FIELD}\n</schema>\n'


@pytest.fixture
def machine(host: Host) -> Host:
    """Return a machine with a CKAN and a password."""
    host.write(SCHEMA, INSTALLED, Access(0o644))
    for name in (solr.PASSWORD, solr.ADMIN_PASSWORD):
        host.write(secrets.path(name), "secret\n", secrets.ACCESS)
    return host


def test_the_password_is_kept_as_solr_hashes_it() -> None:
    digest, salt = solr.credential(Secret("secret")).split(" ")
    once = hashlib.sha256(base64.b64decode(salt) + b"secret").digest()
    assert base64.b64decode(digest) == hashlib.sha256(once).digest()
    assert solr.credential(Secret("secret")) == solr.credential(Secret("secret")) != solr.credential(Secret("other"))


def test_nobody_without_a_password_gets_in() -> None:
    security = json.loads(solr.security(Secret("secret"), Secret("other")))
    assert security["authentication"]["blockUnknown"] is True
    assert list(security["authentication"]["credentials"]) == ["ckan", "dcor-server"]


def test_ckan_cannot_reload_cores() -> None:
    authorization = json.loads(solr.security(Secret("secret"), Secret("other")))["authorization"]
    assert authorization["user-role"] == {"dcor-server": ["cores"]}
    assert {it["role"] for it in authorization["permissions"]} == {"cores"}


def test_one_line_of_the_schema_is_changed() -> None:
    changed = solr.crash_safe(INSTALLED)
    assert changed.replace(solr.CRASH_SAFE_FIELD, solr.VERSION_FIELD) == INSTALLED
    assert changed.count("_version_") == 1


@pytest.mark.parametrize("schema", ["", INSTALLED.replace("string", "text"), INSTALLED + INSTALLED])
def test_a_schema_that_we_do_not_know_is_refused(schema: str) -> None:
    with pytest.raises(DcorError, match="schema of the installed CKAN"):
        solr.crash_safe(schema)


def test_the_service_is_let_start_last(machine: Host) -> None:
    assert list(solr.wanted(machine))[-1] == "/var/lib/dcor-solr/home/security.json"


def test_the_schema_of_an_upgrade_leaves_the_cores_alone(machine: Host) -> None:
    """It gets into the core beside when its release is made (test_search_core.py)."""
    run([solr.SolrCore()], machine)
    machine.write(SCHEMA, INSTALLED.replace("2.11", "2.12"), Access(0o644))
    (outcome,) = run([solr.SolrCore()], machine)
    assert outcome.result is Result.UNCHANGED
    assert {machine.read(cores.schema(core)) for core in cores.CORES} == {solr.crash_safe(INSTALLED)}


@pytest.mark.parametrize("core", cores.CORES)
def test_a_schema_that_somebody_has_changed_is_restored_and_its_index_not_trusted(machine: Host, core: str) -> None:
    run([solr.SolrCore()], machine)
    cores.caught_up(machine, "ckan_b", 1.0)
    machine.remove("/var/lib/dcor-server/pending/" + solr.RESTART)
    machine.write(cores.schema(core), "<schema/>\n", Access(0o644))
    (outcome,) = run([solr.SolrCore()], machine)
    assert (outcome.result, is_pending(machine, solr.RESTART)) == (Result.CHANGED, True)
    state = cores.read(machine)
    assert state is not None
    assert (is_pending(machine, REBUILD_INDEX), "ckan_b" in state.filled) == (core == "ckan", core == "ckan")


def test_an_earlier_version_has_one_core_which_is_kept_with_its_schema(machine: Host) -> None:
    """An upgrade brings the second core and another schema at once."""
    former = solr.crash_safe(INSTALLED.replace("2.11", "2.10"))
    machine.write(cores.schema("ckan"), former, Access(0o644))
    machine.link(CURRENT, "releases/2.10")
    run([solr.SolrCore()], machine)
    assert {machine.read(cores.schema(core)) for core in cores.CORES} == {former}
    assert not is_pending(machine, REBUILD_INDEX)


def test_the_index_of_an_earlier_installation_is_built_again_where_it_may_be_outdated(machine: Host) -> None:
    machine.write(f"{cores.index('ckan_b')}/segments_1", "", Access(0o644))
    run([solr.SolrCore()], machine)
    assert is_pending(machine, REBUILD_INDEX)


def test_ckan_ini_names_the_core_in_use(machine: Host) -> None:
    text = f"[app:main]\nsolr_url = {cores.ORIGIN}/ckan\nsolr_user = ckan\n"
    assert (cores.named(machine), cores.in_text(text)) == ("ckan", "ckan")
    machine.write(CKAN_INI, cores.renamed(text, "ckan_b"), Access(0o644))
    assert cores.named(machine) == "ckan_b"
    assert cores.in_text("solr_url = https://solr.example.org/solr/ckan\n") is None
    assert f"{cores.ORIGIN}/ckan" == solr.endpoint(Settings()).address


def test_a_link_that_is_gone_is_made_anew(machine: Host) -> None:
    run([solr.SolrCore()], machine)
    machine.remove("/var/lib/dcor-solr/home/solr.xml")
    (outcome,) = run([solr.SolrCore()], machine)
    assert outcome.reason == "/var/lib/dcor-solr/home/solr.xml is not a link to /usr/share/dcor-solr/solr.xml"


def test_without_ckan_it_says_what_is_missing(host: Host) -> None:
    host.write(secrets.path(solr.PASSWORD), "secret\n", secrets.ACCESS)
    (outcome,) = run([solr.SolrCore()], host)
    assert (outcome.result, outcome.hint) == (Result.FAILED, "apt install --reinstall python-ckan")
