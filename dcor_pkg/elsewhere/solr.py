"""Try a Solr elsewhere: password, version, the core and its schema, and whether it can be updated."""

from __future__ import annotations

import json
import re

from dcor_pkg import web
from dcor_pkg.elsewhere.reach import Unusable, reach
from dcor_pkg.host import Host
from dcor_pkg.services import Endpoint
from dcor_pkg.steps.solr import CONFIGURATION, schema_of_ckan

#: CKAN 2.11's documentation, "Installing CKAN from source"
OLDEST = 9
#: matches nothing that CKAN ever indexes
DELETE_NOTHING = json.dumps({"delete": {"id": "dcor-server-check"}})
SCHEMA = (
    f"{CONFIGURATION} here holds what the core needs: CKAN's schema, with one line changed (_version_ is a number), "
    "without which Solr cannot replay its log after a crash."
)


def judge(host: Host, solr: Endpoint, password: str) -> None:
    """Raise Unusable for the first thing that CKAN could not live with."""
    reach(solr)
    login = (solr.user, password)
    schema = web.ask(f"{solr.address}/schema?wt=schema.xml", login)
    _judge_login(solr, schema.status)
    _judge_version(solr, login)
    if schema.status != 200:
        raise Unusable(f"there is no core {solr.name} (it answers {schema.status})", "Make it, with CKAN's schema.")
    found, wanted = _schema_name(schema.body), _schema_name(schema_of_ckan(host))
    if found != wanted:
        raise Unusable(f"its schema is {found}, and that of the installed CKAN is {wanted}", SCHEMA)
    answer = web.ask(f"{solr.address}/update?wt=json", login, DELETE_NOTHING)
    if answer.status != 200:
        raise Unusable(f"{solr.user} may not update its index (it answers {answer.status})")


def fault(_: Host, solr: Endpoint, password: str) -> str | None:
    """Return why the index does not answer CKAN."""
    try:
        reach(solr)
    except Unusable as unusable:
        return unusable.reason
    answer = web.ask(f"{solr.address}/select?q=*:*&rows=0", (solr.user, password))
    return None if answer.status == 200 else f"answers {answer.status} ({answer.body.strip()[:80]})"


def _judge_login(solr: Endpoint, status: int) -> None:
    if status == 401:
        raise Unusable(f"it refuses the password of {solr.user}", "Give it anew: solr-password=@FILE.")
    if status == 403:
        raise Unusable(f"{solr.user} may not read the schema of {solr.name}")
    if status == 0:
        raise Unusable("it does not answer")


def _judge_version(solr: Endpoint, login: tuple[str, str]) -> None:
    """Judge Solr's version where it tells that to this user; otherwise the schema alone says whether it fits."""
    root = solr.address.rpartition("/")[0]
    answer = web.ask(f"{root}/admin/info/system?wt=json", login)
    found = re.search(r'"solr-spec-version":\s*"(\d+)', answer.body) if answer.status == 200 else None
    if found is not None and int(found[1]) < OLDEST:
        raise Unusable(f"its Solr is {found[1]}, and CKAN needs {OLDEST}")


def _schema_name(text: str) -> str:
    """Return the name by which CKAN 2.10 and later knows its schema ("ckan-2.11")."""
    found = re.search(r'<schema[^>]*\bname="([^"]*)"', text)
    return found[1] if found else "none that CKAN knows"
