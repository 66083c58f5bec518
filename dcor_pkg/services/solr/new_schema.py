"""Give a core that is not in use another schema, while Solr goes on answering from the other core."""

from __future__ import annotations

import json
import re
from functools import partial

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets
from dcor_pkg.machine import disk, http_request
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.solr import cores, local

#: for the second index, and while Solr merges its parts
TIMES, RESERVE_BYTES = 2, 256 * disk.MIB
DELETE_ALL = json.dumps({"delete": {"query": "*:*"}})
#: in Solr's answer: the exception that explains the others
CAUSE = re.compile(r"^Caused by: (.*)", re.MULTILINE)


def require_room(host: Host, core: str) -> None:
    """Raise DcorError where the disk has no room for a second index as large as that of a core."""
    files = [it for it in host.path(cores.index(core)).glob("*") if it.is_file()]
    disk.require(host, cores.index(core), TIMES * sum(it.stat().st_size for it in files) + RESERVE_BYTES)


def put(host: Host, solr: Endpoint, core: str, text: str) -> None:
    """Give a core a schema and an empty index. Raises DcorError where Solr cannot load it.

    Solr goes on comparing the kinds of fields with those of deleted documents until it opens the index anew, and cannot
    delete them with a schema that it could not load: hence the order.
    """
    cores.replace_schema(host, core, text)
    host.write(cores.schema(core), text, local.PUBLIC)
    _reload(host, core)
    answer = http_request.ask(
        f"{cores.ORIGIN}/{core}/update?commit=true&wt=json", solr.login(partial(secrets.read, host)), DELETE_ALL
    )
    _require(answer, f"Solr cannot empty the core {core}")
    _reload(host, core)


def _reload(host: Host, core: str) -> None:
    login: tuple[str, Secret] = (local.ADMIN, secrets.read(host, local.ADMIN_PASSWORD))
    answer = http_request.ask(f"{cores.ORIGIN}/admin/cores?action=RELOAD&core={core}&wt=json", login)
    _require(answer, f"Solr cannot load the schema of the release in the core {core}")


def _require(answer: Answer, problem: str) -> None:
    if answer.status != 200:
        hint = "What serves goes on with the other core. journalctl --unit=dcor-solr says more."
        raise DcorError(f"{problem}: {_message(answer)}", hint)


def _message(answer: Answer) -> str:
    """Return what Solr says, as short as possible."""
    try:
        error = json.loads(answer.body)["error"]
    except (ValueError, KeyError, TypeError):
        return f"{answer.body.strip()[:200]} (status {answer.status})"
    causes = CAUSE.findall(str(error.get("trace", "")))
    return str(causes[-1] if causes else error.get("msg", f"status {answer.status}"))[:300]
