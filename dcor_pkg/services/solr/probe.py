"""Probe an external Solr: password, version, the core and its schema, and the right to update it."""

from __future__ import annotations

import json
import re

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.reach import UnusableService, reach
from dcor_pkg.services.solr.local import CRASH_SAFE_FIELD, schema_of_ckan, schema_path

#: CKAN 2.11's documentation, "Installing CKAN from source"
MINIMUM_VERSION = 9
#: matches no document that CKAN ever indexes
DELETE_NOTHING = json.dumps({"delete": {"id": "dcor-server-check"}})
SCHEMA_HINT = "CKAN's schema is {path} on this machine. Use {field} for _version_: with CKAN's own line Solr loses updates in a crash."


def log_in(_: Host, solr: Endpoint, password: Secret, _settings: Settings) -> None:
    """Raise UnusableService where CKAN cannot log in, or the core does not exist."""
    reach(solr)
    answer = http_request.ask(f"{solr.address}/select?q=*:*&rows=0", (solr.user, password))
    if answer.status == 401:
        raise UnusableService(f"it rejects the password of {solr.user}", "Give it again: solr-password=@FILE.")
    if answer.status == 404:
        raise UnusableService(f"it has no core {solr.name}", "Create it, with CKAN's schema.")
    if answer.status != 200:
        detail = f"it answers {answer.status}" if answer.status else answer.body
        raise UnusableService(f"a search as {solr.user} fails: {detail}")


def probe(host: Host, solr: Endpoint, password: Secret, settings: Settings) -> None:
    """Raise UnusableService for the first requirement of CKAN that is not met."""
    log_in(host, solr, password, settings)
    _check_version(solr, password)
    schema = http_request.ask(f"{solr.address}/schema?wt=schema.xml", (solr.user, password))
    if schema.status != 200:
        raise UnusableService(f"{solr.user} cannot read the schema of {solr.name} (it answers {schema.status})")
    found, needed = schema_name(schema.body), schema_name(schema_of_ckan(host))
    if found != needed:
        hint = SCHEMA_HINT.format(path=schema_path(host), field=CRASH_SAFE_FIELD)
        raise UnusableService(f"its schema is {found}, and the installed CKAN needs {needed}", hint)
    answer = http_request.ask(f"{solr.address}/update?wt=json", (solr.user, password), DELETE_NOTHING)
    if answer.status != 200:
        raise UnusableService(f"{solr.user} cannot update its index (it answers {answer.status})")


def content(_: Host, solr: Endpoint, password: Secret) -> str | None:
    """Return how many documents the core has, or None where it is empty."""
    answer = http_request.ask(f"{solr.address}/select?q=*:*&rows=0&wt=json", (solr.user, password))
    found = re.search(r'"numFound":\s*(\d+)', answer.body)
    return None if found is None or found[1] == "0" else f"{found[1]} documents"


def _check_version(solr: Endpoint, password: Secret) -> None:
    """Check Solr's version where this user may read it; otherwise the schema alone shows whether it fits."""
    root = solr.address.rpartition("/")[0]
    answer = http_request.ask(f"{root}/admin/info/system?wt=json", (solr.user, password))
    found = re.search(r'"solr-spec-version":\s*"(\d+)', answer.body) if answer.status == 200 else None
    if found is not None and int(found[1]) < MINIMUM_VERSION:
        raise UnusableService(f"its Solr is version {found[1]}, and CKAN needs {MINIMUM_VERSION}")


def schema_name(text: str) -> str:
    """Return the name by which CKAN 2.10 and later identifies its schema ("ckan-2.11")."""
    found = re.search(r'<schema[^>]*\bname="([^"]*)"', text)
    return found[1] if found else "not one of CKAN's"
