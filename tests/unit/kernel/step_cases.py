"""A case for each class of steps: one step of it, and the ways in which what it cares for is damaged."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from importlib import import_module
from typing import Any

import dcor_pkg
from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import additions as ckan_additions
from dcor_pkg.ckan import admin_commands, programs, release
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.addresses import Addresses
from dcor_pkg.ckan.admin_commands import AdminCommands
from dcor_pkg.ckan.ckan_ini import CkanIni
from dcor_pkg.ckan.database_schema import DatabaseSchema
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.ckan.search_index import SearchIndex
from dcor_pkg.kernel import pending, secrets
from dcor_pkg.kernel.data_directory import INSTANCE, DataDirectory
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.log_file import LogFile
from dcor_pkg.kernel.managed_file import ManagedFile, ValidatedFiles
from dcor_pkg.kernel.preserved import PRESERVED_INSTANCE, PreservedSettings
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.kernel.systemd_service import Service, ServiceStarting, ServiceStopped
from dcor_pkg.machine import facts
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import AUTHORITIES, CKAN_INI, CURRENT, PACKAGED_CKAN, PRESERVED, SUPERVISOR_PROGRAMS
from dcor_pkg.nginx import additions as nginx_additions
from dcor_pkg.nginx import example_site, upstream
from dcor_pkg.nginx import site as nginx
from dcor_pkg.nginx.service import NginxService
from dcor_pkg.nginx.site import Site
from dcor_pkg.plan import build_plan
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.object_store import socket_activation
from dcor_pkg.services.object_store.local import FilerToken
from dcor_pkg.services.object_store.socket_activation import NoSocketActivation, SocketActivation
from dcor_pkg.services.postgresql import cluster, psql
from dcor_pkg.services.postgresql.cluster import ClusterEnabled, ClusterStopped
from dcor_pkg.services.postgresql.local import DatabaseLogin, PostgresqlDatabase
from dcor_pkg.services.redis import local as redis
from dcor_pkg.services.solr import local as solr
from dcor_pkg.services.solr.local import SolrCore
from dcor_pkg.tls import own_certificate, self_signed, trust_bundle
from dcor_pkg.tls.own_certificate import OwnCertificate
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.trust_bundle import TrustBundle
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs import postgresql

Damage = Callable[[Machine], object]

PUBLIC, FOREIGN = Access(0o644), Access(0o777, "www-data", "games")
LOCAL = {"hostname": "dcor.example.org", "email": "admin@example.org"}
EXTERNAL = {
    **LOCAL,
    "redis": "rediss://redis.example.org",
    "object-store": "https://AKID@s3.example.org",
    "database": "postgresql://dcor@db.example.org/dcor",
}
OWN = {**LOCAL, "certificate": "own", "certificate-file": "/srv/own.pem", "certificate-key": "/srv/own.key"}
SCRATCH = "/var/lib/dcor-server/scratch-of-the-test"


def plan(machine: Machine, answers: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the plan of a machine with these settings."""
    return build_plan(settings.parse(answers), facts.read(machine.host))


def converged(machine: Machine, steps: tuple[Step, ...]) -> None:
    """Run steps. Raises AssertionError where one fails."""
    failed = [outcome for outcome in run(steps, machine.host) if outcome.result is Result.FAILED]
    assert failed == []


@dataclass(frozen=True)
class Case:
    """A step of a class. It is the first of that class in the plan whose name ends with `name`, or `alone`."""

    kind: type
    damages: Mapping[str, Damage]
    name: str = ""
    answers: Mapping[str, str] = field(default_factory=lambda: LOCAL)
    #: what comes before the plan
    before: Damage = lambda _: None
    #: a step that is not in the plan by itself
    alone: Step | None = None

    def prepare(self, machine: Machine) -> Step:
        """Run what comes before the step in the plan, and return the step."""
        self.before(machine)
        if self.alone is not None:
            return self.alone
        steps = plan(machine, self.answers)
        place = next(n for n, it in enumerate(steps) if type(it) is self.kind and it.name.endswith(self.name))
        converged(machine, steps[:place])
        return steps[place]


def classes() -> list[type]:
    """Return all classes of steps that there are in the code."""
    names = [module.name for module in pkgutil.walk_packages(dcor_pkg.__path__, "dcor_pkg.")]
    modules = [import_module(name) for name in names if not name.startswith("dcor_pkg.runtime")]
    found = [kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)]
    return sorted({kind for kind in found if _is_step(kind)}, key=lambda kind: kind.__name__)


def _is_step(kind: type) -> bool:
    named = "name" in getattr(kind, "__dataclass_fields__", {}) or hasattr(kind, "name")
    methods = [getattr(kind, name, None) for name in ("check", "apply")]
    return kind.__module__.startswith("dcor_pkg.") and is_dataclass(kind) and named and all(map(callable, methods))


def remove(path: str) -> Damage:
    """Remove a file."""
    return lambda machine: machine.host.remove(path)


def chmod(path: str, mode: int = 0o666) -> Damage:
    """Give a file or directory another mode."""
    return lambda machine: machine.host.path(path).chmod(mode)


def write(path: str, text: str, access: Access = PUBLIC) -> Damage:
    """Replace a file."""
    return lambda machine: machine.host.write(path, text, access)


def give(path: str) -> Damage:
    """Give a directory another owner and mode."""
    return lambda machine: machine.host.make_directory(path, FOREIGN)


def link(path: str, target: str) -> Damage:
    """Make a link."""
    return lambda machine: machine.host.link(path, target)


def request(action: str) -> Damage:
    """Make an action pending."""
    return lambda machine: pending.request(machine.host, action)


def unit(name: str, **state: Any) -> Damage:
    """Change the state of a unit."""

    def change(machine: Machine) -> None:
        machine.systemd.units[name] = replace(machine.systemd.units[name], **state)

    return change


def attribute(part: Callable[[Machine], object], name: str, value: object) -> Damage:
    """Change a value of the fake machine."""
    return lambda machine: setattr(part(machine), name, value)


def _preserve(machine: Machine) -> None:
    write(f"{PRESERVED}/secrets/ckan-secret-key", "key\n", secrets.ACCESS)(machine)
    write(PRESERVED_INSTANCE, "id\n")(machine)


def _give_passwords(machine: Machine) -> None:
    for question in ("redis-password", "object-store-secret", "database-password"):
        secrets.save(machine.host, secrets.external(question), Secret("secret"))


def _become_external(machine: Machine) -> None:
    """Set up everything on this machine, whose services are about to be external."""
    converged(machine, plan(machine, LOCAL))
    _give_passwords(machine)
    machine.postgresql.roles["dcor"] = "secret"
    machine.postgresql.databases["dcor"] = replace(machine.postgresql.databases[cluster.DATABASE], owner="dcor")
    machine.postgresql.external = {"db.example.org": {"dcor"}}
    machine.ckan.database = "dcor"


def _stop_cluster(machine: Machine) -> None:
    """Stop the cluster as for an external database."""
    write(postgresql.START, f"{cluster.STOPPED}manual\n", Access(0o644, "postgres", "postgres"))(machine)
    unit(postgresql.UNIT, active="inactive")(machine)


def _own_certificate(machine: Machine) -> None:
    """Write a certificate and its key where the admin has them."""
    SelfSignedCertificate(LOCAL["hostname"]).apply(machine.host)
    text, key = self_signed.PAIR.read(machine.host)
    write("/srv/own.pem", text or "")(machine)
    write("/srv/own.key", key or "", secrets.ACCESS)(machine)


def _leave_release(machine: Machine) -> None:
    """Leave what a power cut leaves of a release that is being made."""
    machine.host.make_directory(f"{release.DIRECTORY}/.left-over", Access(0o755))


def _stop_web(machine: Machine) -> None:
    serving = programs.serving(machine.host)
    assert serving is not None
    machine.supervisor.stopProcess(serving.web, False)


def _lose_programs_file(machine: Machine) -> None:
    serving = programs.serving(machine.host)
    assert serving is not None
    machine.host.remove(f"{SUPERVISOR_PROGRAMS}/dcor-{serving.id}.conf")


def _lose_copies(machine: Machine) -> None:
    for name in machine.host.names(programs.CONFIGURATIONS):
        machine.host.remove_tree(f"{programs.CONFIGURATIONS}/{name}")


def _change_password(machine: Machine) -> None:
    machine.postgresql.roles[cluster.DATABASE] = "other"


def _lose_index(machine: Machine) -> None:
    machine.postgresql.databases[cluster.DATABASE].datasets = 3
    machine.ckan.documents = 0


def _revision(revision: str | None) -> Damage:
    return lambda machine: setattr(machine.postgresql.databases[cluster.DATABASE], "revision", revision)


def _site_packages(machine: Machine) -> str:
    (made,) = release.ids(machine.host)
    return release.site_packages(machine.host, release.directory(made))


def _own_drop_in(name: str) -> Damage:
    return write(f"/etc/systemd/system/{name}.d/admin.conf", "[Service]\nNice=5\n")


REDIS_CONF = "/etc/redis/redis-dcor.conf"
OPTION = f"{ckan_additions.DIRECTORY}/own.ini"
LOGROTATE = "/etc/logrotate.d/dcor-server"
UWSGI = ManagedFile(f"{SCRATCH}/uwsgi.ini", "ckan/templates/uwsgi.ini", {"workers": 4})
VALIDATED = ValidatedFiles("validated files", (UWSGI,), nginx_additions.VALIDATE)

CASES = (
    Case(PreservedSettings, {"instance lost": remove(INSTANCE)}, before=_preserve),
    Case(
        RandomSecret,
        {
            "lost": remove(secrets.path("database-password")),
            "empty": write(secrets.path("database-password"), "", secrets.ACCESS),
            "readable": chmod(secrets.path("database-password"), 0o644),
        },
        name="database-password",
    ),
    Case(DataDirectory, {"mode": chmod("/data", 0o777), "instance lost": remove(INSTANCE)}),
    Case(
        Directory,
        {
            "lost": lambda machine: machine.host.remove_tree("/var/log/ckan"),
            "mode": chmod("/var/log/ckan", 0o700),
            "owner": give("/var/log/ckan"),
        },
        name="/var/log/ckan",
    ),
    Case(LogFile, {"lost": remove("/var/log/ckan/jobs.log"), "mode": chmod("/var/log/ckan/jobs.log")}, name="jobs.log"),
    Case(
        ManagedFile,
        {
            "lost": remove(REDIS_CONF),
            "mode": chmod(REDIS_CONF),
            "changed by the admin": write(REDIS_CONF, "port 6379\n", Access(0o640, "redis", "redis")),
            "not recorded": remove("/var/lib/dcor-server/managed.json"),
        },
        name=REDIS_CONF,
    ),
    Case(ValidatedFiles, {"lost": remove(UWSGI.path), "mode": chmod(UWSGI.path)}, alone=VALIDATED),
    Case(
        CkanIni,
        {
            "lost": remove(CKAN_INI),
            "mode": chmod(CKAN_INI),
            "addition": write(OPTION, "[app:main]\nckan.site_title = Mine\n"),
        },
    ),
    Case(
        SolrCore,
        {
            "schema lost": remove(solr.SCHEMA),
            "schema changed": write(solr.SCHEMA, "<schema/>\n"),
            "password readable": chmod(f"{solr.HOME}/security.json", 0o644),
            "link": link(f"{solr.HOME}/solr.xml", "/nowhere"),
        },
    ),
    Case(
        FilerToken,
        {
            "lost": remove(object_store.TOKEN),
            "readable": chmod(object_store.TOKEN, 0o644),
            "other key": write(object_store.TOKEN, "other\n", secrets.ACCESS),
        },
    ),
    Case(DatabaseLogin, {"lost": remove(psql.PASSFILE), "readable": chmod(psql.PASSFILE, 0o644)}),
    Case(ClusterEnabled, {"stopped": _stop_cluster}, before=_stop_cluster),
    Case(
        ClusterStopped,
        {"started": unit(postgresql.UNIT, active="active")},
        answers=EXTERNAL,
        before=_become_external,
    ),
    Case(
        PostgresqlDatabase,
        {
            "role lost": lambda machine: machine.postgresql.roles.clear(),
            "other password": _change_password,
            "database lost": lambda machine: machine.postgresql.databases.clear(),
        },
    ),
    Case(
        SelfSignedCertificate,
        {
            "key lost": remove(self_signed.PAIR.key),
            "key readable": chmod(self_signed.PAIR.key, 0o644),
            "not a certificate": write(self_signed.PAIR.certificate, "no certificate"),
            "of another name": lambda machine: SelfSignedCertificate("other.example.org").apply(machine.host),
        },
    ),
    Case(
        OwnCertificate,
        {
            "key lost": remove(own_certificate.SERVED.key),
            "key readable": chmod(own_certificate.SERVED.key, 0o644),
            "certificate lost": remove(own_certificate.SERVED.certificate),
            "renewed": _own_certificate,
        },
        answers=OWN,
        before=_own_certificate,
    ),
    Case(TrustBundle, {"lost": remove(trust_bundle.BUNDLE), "authorities changed": write(AUTHORITIES, "other\n")}),
    Case(
        ReleaseMade,
        {
            "half removed": lambda machine: machine.host.remove(
                f"{release.directory(release.ids(machine.host)[0])}/{release.SCHEMA}"
            ),
            "known issue": lambda machine: machine.host.write(
                f"{_site_packages(machine)}/certifi/cacert.pem", "authorities\n", PUBLIC
            ),
        },
    ),
    Case(DatabaseSchema, {"old": _revision("0123456789ab"), "no tables": _revision(None)}),
    Case(
        Addresses,
        {
            "record lost": remove("/var/lib/dcor-server/addresses-by-database.json"),
            "former name": lambda machine: converged(
                machine,
                (
                    Addresses(
                        "https://former.example.org",
                        "https://former.example.org",
                        endpoints.of(settings.parse(LOCAL)).database,
                    ),
                ),
            ),
        },
    ),
    Case(
        ServiceStarting, {"stopped": unit(redis.UNIT, active="inactive"), "failed": unit(redis.UNIT, active="failed")}
    ),
    Case(
        Service,
        {
            "stopped": unit(redis.UNIT, active="inactive"),
            "failed": unit(redis.UNIT, active="failed"),
            "disabled": unit(redis.UNIT, file="disabled"),
            "drop-in": _own_drop_in(redis.UNIT),
            "restart": request(f"restart {redis.UNIT}"),
            "reload": request(f"reload {redis.UNIT}"),
        },
    ),
    Case(
        ServiceStopped,
        {"started": unit(redis.UNIT, active="active"), "enabled": unit(redis.UNIT, file="enabled")},
        answers=EXTERNAL,
        before=_become_external,
    ),
    Case(
        ActiveRelease,
        {
            "link lost": remove(CURRENT),
            "configuration changed": write(CKAN_INI, "[app:main]\n", programs.COPY),
            "nginx points elsewhere": write(upstream.PATH, "upstream dcor { server unix:/other.sock; }\n"),
            "programs lost": _lose_programs_file,
            "copies lost": _lose_copies,
            "stopped": _stop_web,
            "left over": _leave_release,
        },
    ),
    Case(
        AdminCommands,
        {
            "link lost": remove(f"{PACKAGED_CKAN}/bin/{admin_commands.LINKS[-1]}"),
            "file of the package": write(f"{PACKAGED_CKAN}/bin/activate", "VIRTUAL_ENV=...\n"),
        },
    ),
    Case(
        SocketActivation,
        {
            "file lost": remove(socket_activation.FILES[0].path),
            "socket stopped": unit(socket_activation.SOCKETS[0].unit, active="inactive"),
        },
    ),
    Case(
        NoSocketActivation,
        {"file is back": write(socket_activation.FILES[0].path, "[Unit]\n")},
        answers=EXTERNAL,
        before=_become_external,
    ),
    Case(
        Site,
        {
            "file lost": remove(nginx.SITE),
            "not enabled": remove(nginx.ENABLED),
            "Debian's example": link(example_site.ENABLED, example_site.PATH),
            "addition": write(f"{nginx_additions.DIRECTORY}/own.conf", "location /own { return 204; }\n"),
        },
    ),
    Case(NginxService, {"stopped": unit("nginx.service", active="inactive"), "reload": request(pending.RELOAD_NGINX)}),
    Case(
        SearchIndex,
        {
            "lost": _lose_index,
            "record lost": remove("/var/lib/dcor-server/index.json"),
            "of another database": write("/var/lib/dcor-server/index.json", '{"database": "x", "solr": "y"}\n'),
        },
    ),
)
