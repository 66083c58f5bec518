"""Ask Solr for its datasets and its schema: with another one than it should have it loses fields, and does not say."""

from __future__ import annotations

import re
from functools import partial

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.examined import Examined
from dcor_pkg.services.solr import cores, local, probe


def examine(host: Host, solr: Endpoint) -> Examined:
    """Query the datasets and the schema. Raises DcorError.

    That the schema is another one is a warning. An external Solr has another one for some time where it is changed for
    the next release.
    """
    answer = local.count(host, solr)
    found = re.search(r'"numFound":\s*(\d+)', answer.body)
    if answer.status != 200 or found is None:
        raise DcorError(f"answers a query with {answer.status} ({answer.body.strip()[:100]})")
    loaded = _loaded(host, solr)
    needed, whose = _needed(host, solr)
    warning = "" if loaded == needed else f"its schema is {loaded}, and {whose} needs {needed}"
    return Examined(f"schema {loaded}, datasets: {found[1]}", warning)


def _needed(host: Host, solr: Endpoint) -> tuple[str, str]:
    """Return the name of the schema that the core in use should have, and what needs it.

    A local Solr has the one of the release in that core, whatever python-ckan was upgraded to.
    """
    core, state = cores.named(host), cores.read(host)
    if solr.local and state is not None:
        return probe.schema_name(state.schemas[core]), f"the release that uses its core {core}"
    return probe.schema_name(local.schema_of_ckan(host)), "the installed CKAN"


def _loaded(host: Host, solr: Endpoint) -> str:
    """Return the name of the schema that Solr has loaded. Raises DcorError."""
    login = solr.login(partial(secrets.read, host))
    answer = http_request.ask(f"{local.address(host, solr)}/schema?wt=schema.xml", login)
    if answer.status != 200:
        raise DcorError(f"answers {answer.status} when it is asked for its schema ({answer.body.strip()[:100]})")
    return probe.schema_name(answer.body)
