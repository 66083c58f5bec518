"""CKAN's core in Solr: what Solr is given to read."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.pending import is_pending
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services.solr import local as solr

SCHEMA = "/usr/lib/ckan/default/lib/python3.99/site-packages/ckan/config/solr/schema.xml"
INSTALLED = f'<schema name="ckan-2.11">\n    {solr.VERSION_FIELD}\n</schema>\n'


@pytest.fixture
def machine(host: Host) -> Host:
    """Return a machine with a CKAN and a password."""
    host.write(SCHEMA, INSTALLED, Access(0o644))
    host.write(secrets.path(solr.PASSWORD), "secret\n", secrets.ACCESS)
    return host


def test_the_password_is_kept_as_solr_hashes_it() -> None:
    digest, salt = solr.credential(Secret("secret")).split(" ")
    once = hashlib.sha256(base64.b64decode(salt) + b"secret").digest()
    assert base64.b64decode(digest) == hashlib.sha256(once).digest()
    assert solr.credential(Secret("secret")) == solr.credential(Secret("secret")) != solr.credential(Secret("other"))


def test_nobody_without_a_password_gets_in() -> None:
    authentication = json.loads(solr.security(Secret("secret")))["authentication"]
    assert authentication["blockUnknown"] is True
    assert list(authentication["credentials"]) == ["ckan"]


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


def test_a_changed_schema_is_taken_over_and_solr_started_again(machine: Host) -> None:
    run([solr.SolrCore()], machine)
    machine.remove("/var/lib/dcor-server/pending/" + solr.RESTART)
    machine.write(SCHEMA, INSTALLED.replace("2.11", "2.12"), Access(0o644))
    (outcome,) = run([solr.SolrCore()], machine)
    assert outcome.result is Result.CHANGED
    assert outcome.reason.endswith("schema.xml is not as it should be")
    assert is_pending(machine, solr.RESTART)


def test_a_link_that_is_gone_is_made_anew(machine: Host) -> None:
    run([solr.SolrCore()], machine)
    machine.remove("/var/lib/dcor-solr/home/solr.xml")
    (outcome,) = run([solr.SolrCore()], machine)
    assert outcome.reason == "/var/lib/dcor-solr/home/solr.xml is not a link to /usr/share/dcor-solr/solr.xml"


def test_without_ckan_it_says_what_is_missing(host: Host) -> None:
    host.write(secrets.path(solr.PASSWORD), "secret\n", secrets.ACCESS)
    (outcome,) = run([solr.SolrCore()], host)
    assert (outcome.result, outcome.hint) == (Result.FAILED, "apt install --reinstall python-ckan")
