"""The services of a test instance: Solr, an object store with nginx before it, and Redis, each a process of its own.

Production's Solr has two cores and one port, its store one set of keys, its nginx one site: nothing of that is changed.
All units have names that begin with `test-dcor-`, and none starts at boot.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import systemd_service, templates
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER, SYSTEMD_UNITS
from dcor_pkg.services.endpoint import from_address
from dcor_pkg.services.object_store.client import Client
from dcor_pkg.services.object_store.local import OF_STORE, VOLUMES, read_token
from dcor_pkg.services.solr import local as solr
from dcor_pkg.test_instance.credentials import Credentials
from dcor_pkg.test_instance.places import HOME, SOLR_PORT, STORE_PORT
from dcor_pkg.test_instance.room import RESERVE_MIB

SOLR, SOLR_SOCKET = "test-dcor-solr.service", "test-dcor-solr.socket"
STORE, NGINX = "test-dcor-store.service", "test-dcor-nginx.service"
REDIS = "test-dcor-redis.service"
#: the transient unit in which a suite runs
SUITE = "test-dcor-suite.service"
#: the same as a pattern, for systemctl to end with 0 where it does not run
SUITE_PATTERN = "test-dcor-suite.*"
#: in the order in which they are started
STARTED = (SOLR_SOCKET, SOLR, STORE, NGINX, REDIS)
#: all units of a test instance, as systemctl(1) takes it; none of that name is no error
ALL = "test-dcor-*"

SOLR_HOME = f"{HOME}/solr/home"
#: made by the unit of the store, for its sockets
STORE_SOCKETS = "/run/test-dcor-store"
REDIS_SOCKET = "/run/test-dcor-redis/redis.sock"
STORE_ORIGIN = f"http://127.0.0.1:{STORE_PORT}"
SOLR_ADDRESS = f"http://127.0.0.1:{SOLR_PORT}/solr/ckan"
#: the files of the package dcor-solr that a core needs
CORE_FILES = ("protwords.txt", "solrconfig.xml", "synonyms.txt")

PUBLIC, PASSABLE = Access(0o644), Access(0o755)
OF_NGINX = Access(0o640, "root", CKAN_USER)
#: how long the services may take to start, in seconds
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.2
OK, CONFLICT = 200, 409
#: an object that is there from the start: without volumes the store makes them while it stops
OBJECT = "/dcor-server-check/object"


@dataclass(frozen=True)
class File:
    """A file that is made of a template of this room."""

    path: str
    template: str
    access: Access = PUBLIC


FILES = (
    *(File(f"{SYSTEMD_UNITS}/{unit}", unit.removeprefix("test-dcor-")) for unit in STARTED),
    File(f"{HOME}/solr/log4j2.xml", "log4j2.xml"),
    File(f"{HOME}/redis.conf", "redis.conf"),
    File(f"{HOME}/store/configuration/s3.json", "s3.json", OF_STORE),
    File(f"{HOME}/store/configuration/security.toml", "security.toml", OF_STORE),
    File(f"{HOME}/nginx.conf", "nginx.conf", OF_NGINX),
)


def write(host: Host, credentials: Credentials, schema: str) -> None:
    """Write all files that the services read; `schema` is Solr's, as the release has it."""
    host.make_directory(f"{HOME}/solr", PASSABLE)
    host.make_directory(f"{HOME}/solr/data", Access(0o750, "dcor-solr", "dcor-solr"))
    host.make_directory(f"{HOME}/store", PASSABLE)
    host.make_directory(f"{HOME}/store/data", VOLUMES)
    places = {
        "home": HOME,
        "solr_port": SOLR_PORT,
        "store_port": STORE_PORT,
        "redis_socket": REDIS_SOCKET,
        "reserve": RESERVE_MIB,
    }
    values = {**credentials.revealed(), **places, "token": read_token(credentials.filer_read)}
    for file in FILES:
        host.write(file.path, templates.render(f"test_instance/templates/{file.template}", values, host), file.access)
    _write_core(host, credentials, schema)
    host.run("systemctl", "daemon-reload")


def start(host: Host) -> None:
    """Start what does not run. Raises DcorError."""
    for unit in STARTED:
        systemd_service.start(host, unit)


def await_answers(host: Host, credentials: Credentials) -> None:
    """Wait until Solr and the store answer, and let the store make its first volumes. Raises DcorError."""
    client = store_client(host, credentials)
    login = (solr.USER, credentials.solr)
    bucket = OBJECT.rpartition("/")[0]
    _await(SOLR, lambda: http_request.ask(f"{SOLR_ADDRESS}/select?q=*:*&rows=0", login).status)
    # A request that was cut off may have made it.
    _await(STORE, lambda: client.ask("PUT", bucket).status, (OK, CONFLICT))
    _await(STORE, lambda: client.ask("PUT", OBJECT, "object").status)


def store_client(host: Host, credentials: Credentials) -> Client:
    """Return a client of the store of the test instance."""
    store = from_address("object-store", f"http://{credentials.store_key.reveal()}@127.0.0.1:{STORE_PORT}", "")
    return Client(host, store, credentials.store)


def stop(host: Host) -> None:
    """Stop all units, also a suite that is left, and remove their files."""
    host.run("systemctl", "stop", ALL)
    for unit in STARTED:
        host.remove(f"{SYSTEMD_UNITS}/{unit}")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "reset-failed", ALL)
    host.remove_tree(STORE_SOCKETS)


def _write_core(host: Host, credentials: Credentials, schema: str) -> None:
    configuration = f"{SOLR_HOME}/configsets/ckan/conf"
    host.link(f"{SOLR_HOME}/solr.xml", f"{solr.SHIPPED}/solr.xml")
    for name in CORE_FILES:
        host.link(f"{configuration}/{name}", f"{solr.SHIPPED}/{name}")
    host.write(f"{configuration}/schema.xml", solr.crash_safe(schema), PUBLIC)
    host.write(f"{SOLR_HOME}/ckan/core.properties", "name=ckan\nconfigSet=ckan\n", PUBLIC)
    # nobody has the second password, with which cores could be changed
    host.write(f"{SOLR_HOME}/security.json", solr.security(credentials.solr, credentials.session), solr.OF_SOLR)


def _await(unit: str, status: Callable[[], int], wanted: tuple[int, ...] = (OK,)) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := status()) not in wanted:
        if time.monotonic() > deadline:
            reason = f"{unit} was started, and answers {found or 'nobody'} after {PATIENCE_SECONDS:.0f} s."
            raise DcorError(reason, f"See: journalctl --unit={unit}")
        time.sleep(PAUSE_SECONDS)
