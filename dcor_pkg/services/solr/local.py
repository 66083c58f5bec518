"""The local Solr: its two cores (cores.py), and passwords.

Without a password every user of this machine could delete the index through the loopback address. CKAN's password does
not allow to reload cores, which takes the one of dcor-server.
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
from dcor_pkg.machine.paths import CURRENT, PACKAGED_CKAN
from dcor_pkg.machine.ports import SYSTEMD
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.solr import cores
from dcor_pkg.services.solr.cores import CORES, HOME

UNIT = "dcor-solr.service"
#: systemd's unit that holds the port
SOCKET = "dcor-solr.socket"
RESTART = f"restart {UNIT}"
#: who CKAN is in the local Solr, and the name of the secret that is its password
USER, PASSWORD = "ckan", "solr-password"
#: the same of who may reload a core
ADMIN, ADMIN_PASSWORD = "dcor-server", "solr-admin-password"
#: what only that user may do (Solr Reference Guide, "Rule-Based Authorization Plugin")
PERMISSIONS = ("core-admin-read", "core-admin-edit")
#: the TCP port on loopback, and who holds it: Solr takes it from systemd
PORTS = {8983: (SYSTEMD, "java")}

SHIPPED = "/usr/share/dcor-solr"
#: where Solr looks for files, and the files of the package dcor-solr
LINKS = {
    f"{HOME}/solr.xml": f"{SHIPPED}/solr.xml",
    **{
        f"{cores.configuration(core)}/{name}": f"{SHIPPED}/{name}"
        for core in CORES
        for name in ("protwords.txt", "solrconfig.xml", "synonyms.txt")
    },
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
    return (RandomSecret(PASSWORD), RandomSecret(ADMIN_PASSWORD), SolrCore(), Service(SOCKET))


def count(host: Host, solr: Endpoint, core: str = "") -> Answer:
    """Ask a Solr, local or external, how many datasets it has, with CKAN's password.

    Of a local one: in the core that is in use, or in another one.

    The port of a local one may be another user's while systemd does not hold it, so it is not asked then.
    """
    if solr.local and (state := unit_state(host, SOCKET)["ActiveState"]) != "active":
        return Answer(0, f"{SOCKET}, which holds its port, is {state}")
    asked = f"{address(host, solr, core)}/select?q={DATASETS}&rows=0&wt=json"
    return http_request.ask(asked, solr.login(partial(secrets.read, host)))


def address(host: Host, solr: Endpoint, core: str = "") -> str:
    """Return the address of the core that is in use, or of another one of a local Solr."""
    return f"{cores.ORIGIN}/{core or cores.named(host)}" if solr.local else solr.address


def problem(host: Host, solr: Endpoint) -> str | None:
    """Return why the local Solr does not answer a search with CKAN's password, or None."""
    index = cores.index(cores.named(host))
    if not host.exists(index):
        return f"has lost {index}"
    answer = count(host, solr)
    return None if answer.status == 200 else f"answers {answer.status} ({answer.body.strip()[:100]})"


@dataclass(frozen=True)
class SolrCore:
    """All files that Solr reads. A file that differs is written again, and Solr is restarted.

    Which schema a core should have is recorded: a release that needs another one gets it into the core beside
    (ckan/search_core.py).
    """

    name: str = "solr core"

    def check(self, host: Host) -> str | None:
        if cores.read(host) is None:
            return "which schemas its cores have is not recorded yet"
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
        if cores.read(host) is None:
            self._record_first(host)
        for core in CORES:
            if host.read(cores.schema(core)) not in (None, _schemas(host)[core]):
                self._distrust(host, core)
        for link, target in LINKS.items():
            host.link(link, target)
        for path, (text, access) in wanted(host).items():
            host.write(path, text, access)

    def _record_first(self, host: Host) -> None:
        if host.target(CURRENT) is None and host.exists(cores.index(CORES[1])):
            # an earlier installation's, which may have used the other core last
            pending.request(host, pending.REBUILD_INDEX)
        cores.record(host, cores.first(host, crash_safe(schema_of_ckan(host))))

    def _distrust(self, host: Host, core: str) -> None:
        """Have the index of a core made anew that may have been made with another schema."""
        if core == cores.named(host):
            pending.request(host, pending.REBUILD_INDEX)
        else:
            cores.forget(host, core)


def wanted(host: Host) -> dict[str, tuple[str, Access]]:
    """Return the files, in the order of writing: the unit does not start before the last one is there."""
    password, admin = secrets.read(host, PASSWORD), secrets.read(host, ADMIN_PASSWORD)
    return {
        **{cores.schema(core): (text, PUBLIC) for core, text in _schemas(host).items()},
        **{f"{HOME}/{core}/core.properties": (f"name={core}\nconfigSet={core}\n", PUBLIC) for core in CORES},
        "/etc/dcor-solr/probe.conf": (f'user = "{USER}:{password.reveal()}"\n', OF_SOLR),
        f"{HOME}/security.json": (security(password, admin), OF_SOLR),
    }


def _schemas(host: Host) -> dict[str, str]:
    """Return the schema that each core should have."""
    state = cores.read(host) or cores.first(host, crash_safe(schema_of_ckan(host)))
    return state.schemas


def crash_safe(schema: str) -> str:
    """Return CKAN's schema with its one line changed. Raises DcorError where the line is not there exactly once."""
    if schema.count(VERSION_FIELD) != 1:
        raise DcorError(
            "The schema of the installed CKAN is not the one that this version of dcor-server supports.",
            hint=f"Its line {VERSION_FIELD} is missing; a newer dcor-server may support it.",
        )
    return schema.replace(VERSION_FIELD, CRASH_SAFE_FIELD)


def security(password: Secret, admin: Secret) -> str:
    """Return security.json: without a password nothing is answered, not even the version."""
    authentication = {
        "class": "solr.BasicAuthPlugin",
        "blockUnknown": True,
        "credentials": {USER: credential(password), ADMIN: credential(admin)},
    }
    authorization = {
        "class": "solr.RuleBasedAuthorizationPlugin",
        "user-role": {ADMIN: ["cores"]},
        "permissions": [{"name": name, "role": "cores"} for name in PERMISSIONS],
    }
    return json.dumps({"authentication": authentication, "authorization": authorization}, indent=1) + "\n"


def credential(password: Secret) -> str:
    """Return a password as Solr stores it: base64 of sha256(sha256(salt + password)), then of the salt.

    The salt is derived from the password, so that two runs write the same file. A salt protects weak passwords from
    precomputed tables; ours is random.
    """
    salt = hashlib.sha256(b"dcor-solr" + password.reveal().encode()).digest()
    once = hashlib.sha256(salt + password.reveal().encode()).digest()
    return f"{_base64(hashlib.sha256(once).digest())} {_base64(salt)}"


def schema_of_ckan(host: Host, home: str = PACKAGED_CKAN) -> str:
    """Return the schema of the installed CKAN, or of the one in another virtual environment."""
    return host.read(schema_path(host, home)) or ""


def schema_path(host: Host, home: str = PACKAGED_CKAN) -> str:
    """Return the path of this schema. Raises DcorError where there is none."""
    library = f"{home}/lib"
    for name in host.names(library):
        path = f"{library}/{name}/site-packages/ckan/config/solr/schema.xml"
        if host.exists(path):
            return path
    raise DcorError(f"There is no schema of CKAN below {library}.", hint="apt install --reinstall python-ckan")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
