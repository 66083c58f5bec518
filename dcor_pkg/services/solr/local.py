"""The local Solr: its core with the schema of the installed CKAN, and a password.

Without a password every user of this machine could delete the index through the loopback address.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import partial

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.kernel.systemd_service import Service, unit_state
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import PACKAGED_CKAN
from dcor_pkg.machine.ports import SYSTEMD
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.solr import former_schema

UNIT = "dcor-solr.service"
#: systemd's unit that holds the port
SOCKET = "dcor-solr.socket"
RESTART = f"restart {UNIT}"
#: who CKAN is in the local Solr, and the name of the secret that is its password
USER, PASSWORD = "ckan", "solr-password"
#: the TCP port on loopback, and who holds it: Solr takes it from systemd
PORTS = {8983: (SYSTEMD, "java")}

HOME = "/var/lib/dcor-solr/home"
CONFIGURATION = f"{HOME}/configsets/ckan/conf"
SCHEMA = f"{CONFIGURATION}/schema.xml"
SHIPPED = "/usr/share/dcor-solr"
#: the directory of the index; Solr goes on answering from files that were removed
INDEX = "/var/lib/dcor-solr/data/ckan/data/index"
#: where Solr looks for files, and the files of the package dcor-solr
LINKS = {
    f"{HOME}/solr.xml": f"{SHIPPED}/solr.xml",
    **{f"{CONFIGURATION}/{name}": f"{SHIPPED}/{name}" for name in ("protwords.txt", "solrconfig.xml", "synonyms.txt")},
}

#: the search for what CKAN shows as datasets, as a part of an address
DATASETS = "%2Bstate:active+%2Bdataset_type:dataset+%2Bsite_id:default"

PUBLIC = Access(0o644)
OF_SOLR = Access(0o640, "root", "dcor-solr")

#: CKAN's line, and ours. Solr needs a number there to replay its log after a crash: with CKAN's string it loses updates
#: and deletions that it has acknowledged, and reports no error (ckan/ckan#8373, ckan/ckan#9088).
VERSION_FIELD = '<field name="_version_" type="string" indexed="true" stored="true"/>'
CRASH_SAFE_FIELD = '<field name="_version_" type="plong" indexed="false" stored="false" docValues="true"/>'


def endpoint(_: Settings) -> Endpoint:
    """Return where the local Solr is."""
    return Endpoint("solr", "http", "127.0.0.1", next(iter(PORTS)), "/solr/ckan", USER, PASSWORD, local=True)


def steps(_: Settings) -> tuple[Step, ...]:
    """Return the steps that configure it."""
    return (RandomSecret(PASSWORD), SolrCore(), Service(SOCKET))


def count(host: Host, solr: Endpoint) -> Answer:
    """Ask a Solr, local or external, how many datasets it has, with CKAN's password.

    The port of a local one may be another user's while systemd does not hold it, so it is not asked then.
    """
    if solr.local and (state := unit_state(host, SOCKET)["ActiveState"]) != "active":
        return Answer(0, f"{SOCKET}, which holds its port, is {state}")
    return http_request.ask(
        f"{solr.address}/select?q={DATASETS}&rows=0&wt=json", solr.login(partial(secrets.read, host))
    )


def problem(host: Host, solr: Endpoint) -> str | None:
    """Return why the local Solr does not answer a search with CKAN's password, or None."""
    if not host.exists(INDEX):
        return f"has lost {INDEX}"
    answer = count(host, solr)
    return None if answer.status == 200 else f"answers {answer.status} ({answer.body.strip()[:100]})"


@dataclass(frozen=True)
class SolrCore:
    """All files that Solr reads. A file that differs is written again, and Solr is restarted."""

    name: str = "solr core"

    def check(self, host: Host) -> str | None:
        for link, target in LINKS.items():
            if host.target(link) != target:
                return f"{link} is not a link to {target}"
        for path, (text, access) in wanted(host).items():
            if host.read(path) != text:
                return f"{path} is {'not as it should be' if host.exists(path) else 'missing'}"
            if (drift := host.access_drift(path, access)) is not None:
                return f"{path} {drift}"
        return None

    def apply(self, host: Host) -> None:
        pending.request(host, RESTART)
        former_schema.keep(host, host.read(SCHEMA), wanted(host)[SCHEMA][0])
        if host.read(SCHEMA) not in (None, wanted(host)[SCHEMA][0]):
            pending.request(host, pending.REBUILD_INDEX)
        for link, target in LINKS.items():
            host.link(link, target)
        for path, (text, access) in wanted(host).items():
            host.write(path, text, access)


def require_loadable(host: Host) -> None:
    """Raise DcorError where a release would be switched to whose searches may fail, for Solr has the former schema."""
    if host.exists(former_schema.STATE_FILE):
        former_schema.require_loadable(host, crash_safe(schema_of_ckan(host)))


def settle(host: Host) -> None:
    """Put a former schema back where Solr cannot load the new one; forget it where it can. Raises DcorError.

    A Solr that answers, and has yet to be restarted with the new one, has not shown anything.
    """
    found = problem(host, endpoint(Settings()))
    if found is not None or not pending.is_pending(host, RESTART):
        former_schema.settle(host, SCHEMA, PUBLIC, UNIT, found)


def wanted(host: Host) -> dict[str, tuple[str, Access]]:
    """Return the files, in the order of writing: the unit does not start before the last one is there."""
    password = secrets.read(host, PASSWORD)
    schema = crash_safe(schema_of_ckan(host))
    if former_schema.is_rejected(host, schema):
        schema = host.read(SCHEMA) or schema
    return {
        SCHEMA: (schema, PUBLIC),
        f"{HOME}/ckan/core.properties": ("name=ckan\nconfigSet=ckan\n", PUBLIC),
        "/etc/dcor-solr/probe.conf": (f'user = "{USER}:{password.reveal()}"\n', OF_SOLR),
        f"{HOME}/security.json": (security(password), OF_SOLR),
    }


def crash_safe(schema: str) -> str:
    """Return CKAN's schema with its one line changed. Raises DcorError where the line is not there exactly once."""
    if schema.count(VERSION_FIELD) != 1:
        raise DcorError(
            "The schema of the installed CKAN is not the one that this version of dcor-server supports.",
            hint=f"Its line {VERSION_FIELD} is missing; a newer dcor-server may support it.",
        )
    return schema.replace(VERSION_FIELD, CRASH_SAFE_FIELD)


def security(password: Secret) -> str:
    """Return security.json: without a password nothing is answered, not even the version."""
    authentication = {
        "class": "solr.BasicAuthPlugin",
        "blockUnknown": True,
        "credentials": {USER: credential(password)},
    }
    return json.dumps({"authentication": authentication}, indent=1) + "\n"


def credential(password: Secret) -> str:
    """Return a password as Solr stores it: base64 of sha256(sha256(salt + password)), then of the salt.

    The salt is derived from the password, so that two runs write the same file. A salt protects weak passwords from
    precomputed tables; ours is random.
    """
    salt = hashlib.sha256(b"dcor-solr" + password.reveal().encode()).digest()
    once = hashlib.sha256(salt + password.reveal().encode()).digest()
    return f"{_base64(hashlib.sha256(once).digest())} {_base64(salt)}"


def schema_of_ckan(host: Host) -> str:
    """Return the schema of the installed CKAN."""
    return host.read(schema_path(host)) or ""


def schema_path(host: Host) -> str:
    """Return the path of the schema of the installed CKAN. Raises DcorError where there is none."""
    library = f"{PACKAGED_CKAN}/lib"
    for name in host.names(library):
        path = f"{library}/{name}/site-packages/ckan/config/solr/schema.xml"
        if host.exists(path):
            return path
    raise DcorError(f"There is no schema of CKAN below {library}.", hint="apt install --reinstall python-ckan")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
