"""Try a Solr elsewhere: password, version, the core and its schema, and whether it can be updated."""

from __future__ import annotations

import json
import re

from dcor_pkg.answers.secret import Secret
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.reach import Unusable, reach
from dcor_pkg.services.solr.local import CRASH_SAFE_FIELD, schema_of_ckan, schema_path

#: CKAN 2.11's documentation, "Installing CKAN from source"
OLDEST = 9
#: matches nothing that CKAN ever indexes
DELETE_NOTHING = json.dumps({"delete": {"id": "dcor-server-check"}})
#: the schema that it has to have, and the line that is better as in ours
SCHEMA = "CKAN's is {path} here. Take {field} for its _version_: with its own Solr loses updates in a crash."


def log_in(_: Host, solr: Endpoint, password: Secret) -> None:
    """Raise Unusable where CKAN is not let in, or the core is not there."""
    reach(solr)
    answer = http_request.ask(f"{solr.address}/select?q=*:*&rows=0", (solr.user, password))
    if answer.status == 401:
        raise Unusable(f"it refuses the password of {solr.user}", "Give it anew: solr-password=@FILE.")
    if answer.status == 404:
        raise Unusable(f"there is no core {solr.name}", "Make it, with CKAN's schema.")
    if answer.status != 200:
        words = f"it answers {answer.status}" if answer.status else answer.body
        raise Unusable(f"it does not answer a search of {solr.user}: {words}")


def probe(host: Host, solr: Endpoint, password: Secret) -> None:
    """Raise Unusable for the first thing that CKAN could not live with."""
    log_in(host, solr, password)
    _validate_version(solr, password)
    schema = http_request.ask(f"{solr.address}/schema?wt=schema.xml", (solr.user, password))
    if schema.status != 200:
        raise Unusable(f"{solr.user} may not read the schema of {solr.name} (it answers {schema.status})")
    found, wanted = _schema_name(schema.body), _schema_name(schema_of_ckan(host))
    if found != wanted:
        hint = SCHEMA.format(path=schema_path(host), field=CRASH_SAFE_FIELD)
        raise Unusable(f"its schema is {found}, and that of the installed CKAN is {wanted}", hint)
    answer = http_request.ask(f"{solr.address}/update?wt=json", (solr.user, password), DELETE_NOTHING)
    if answer.status != 200:
        raise Unusable(f"{solr.user} may not update its index (it answers {answer.status})")


def _validate_version(solr: Endpoint, password: Secret) -> None:
    """Validator Solr's version where it tells that to this user; otherwise the schema alone says whether it fits."""
    root = solr.address.rpartition("/")[0]
    answer = http_request.ask(f"{root}/admin/info/system?wt=json", (solr.user, password))
    found = re.search(r'"solr-spec-version":\s*"(\d+)', answer.body) if answer.status == 200 else None
    if found is not None and int(found[1]) < OLDEST:
        raise Unusable(f"its Solr is {found[1]}, and CKAN needs {OLDEST}")


def _schema_name(text: str) -> str:
    """Return the name by which CKAN 2.10 and later knows its schema ("ckan-2.11")."""
    found = re.search(r'<schema[^>]*\bname="([^"]*)"', text)
    return found[1] if found else "none that CKAN knows"
