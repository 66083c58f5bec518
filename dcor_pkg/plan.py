"""The plan: everything that the package does to a machine, in order. Pure: no look at the machine, no change to it."""

from __future__ import annotations

from dcor_pkg.answers.settings import OWN, Settings
from dcor_pkg.ckan import additions as ckan_additions
from dcor_pkg.ckan import release
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.addresses import Addresses
from dcor_pkg.ckan.admin_commands import AdminCommands
from dcor_pkg.ckan.ckan_ini import ckan_ini
from dcor_pkg.ckan.database_schema import DatabaseSchema
from dcor_pkg.ckan.programs import SOCKETS, UWSGI_INI
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.ckan.search_index import SearchIndex
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.log_file import LogFile
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.preserved import PreservedSettings
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.kernel.systemd_service import Service, ServiceStarting, ServiceStopped
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services import endpoint as services
from dcor_pkg.services import engines
from dcor_pkg.services.endpoint import Services
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.postgresql.cluster import ClusterEnabled, ClusterStopped
from dcor_pkg.services.postgresql.local import DatabaseLogin, PostgresqlDatabase
from dcor_pkg.services.redis import local as redis
from dcor_pkg.services.solr import local as solr
from dcor_pkg.tls import own_certificate
from dcor_pkg.tls.certificate import BUNDLE, PAIRS, TrustBundle
from dcor_pkg.tls.own_certificate import OwnCertificate
from dcor_pkg.tls.self_signed import SelfSignedCertificate

CKAN = Access(0o755, "www-data", "www-data")
#: what `dcor inspect` wants of CKAN's log directory
LOGS = Access(0o755, "www-data", "adm")


def build_plan(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that make a machine as the settings say."""
    wanted, used = release.wanted(facts), services.of(settings)
    return (
        PreservedSettings(),
        *(RandomSecret(name) for name in (services.DATABASE_PASSWORD, "ckan-secret-key", "ckan-csrf-key")),
        DataDirectory(settings.data),
        *_directories(settings),
        ManagedFile("/etc/apt/apt.conf.d/01dcor-server", "services/templates/apt.conf"),
        ManagedFile("/etc/systemd/system/supervisor.service.d/dcor-server.conf", "ckan/templates/supervisor-unit.conf"),
        *_engines(settings, used),
        # They start while the release is made, and nobody waits for them before they are needed.
        *(ServiceStarting(unit) for unit in engines.needed(used)),
        *_database(used),
        _certificate(settings),
        TrustBundle(PAIRS[settings.certificate]),
        ReleaseMade(wanted),
        *_ckan(settings, facts),
        DatabaseSchema(wanted, used.database),
        Addresses(f"https://{settings.hostname}", used.object_store.origin, used.database),
        *(Service(unit) for unit in (*engines.needed(used), "supervisor.service")),
        ActiveRelease(wanted, settings.hostname, settings.data, _read_by_ckan(settings)),
        AdminCommands(),
        *nginx.steps(settings, facts),
        ManagedFile("/etc/logrotate.d/dcor-server", "ckan/templates/logrotate"),
        # It may take hours, in which all else has to lead where it should.
        SearchIndex(wanted, used.database, used.solr),
        *_not_needed(used),
    )


def _engines(settings: Settings, used: Services) -> tuple[Step, ...]:
    """Return what configures the engines that are ours."""
    return (
        *(redis.files() if used.redis.local else ()),
        *(solr.steps() if used.solr.local else ()),
        *(object_store.steps(settings.data) if used.object_store.local else ()),
    )


def _database(used: Services) -> tuple[Step, ...]:
    login = DatabaseLogin(used.database)
    return (ClusterEnabled(), login, PostgresqlDatabase(used.database)) if used.database.local else (login,)


def _not_needed(used: Services) -> tuple[Step, ...]:
    """Return what stops those engines whose work is done elsewhere: last, when nobody asks them any more."""
    off = tuple(ServiceStopped(unit) for unit in engines.not_needed(used))
    return off if used.database.local else (*off, ClusterStopped())


def _certificate(settings: Settings) -> Step:
    if settings.certificate == OWN:
        return OwnCertificate(own_certificate.source(settings), settings.hostname)
    return SelfSignedCertificate(settings.hostname)


def _directories(settings: Settings) -> tuple[Step, ...]:
    scratch = settings.scratch
    own = (scratch, f"{scratch}/ckanext-dc_serve", f"{scratch}/ckanext-dcor_depot", "/var/lib/ckan/webassets")
    storage = (f"{settings.data}/ckan", f"{settings.data}/ckan/resources", f"{settings.data}/ckan/storage")
    return (
        Directory("/var/log/dcor-server", Access(0o750, "root", "adm")),
        Directory("/var/log/ckan", LOGS),
        *(LogFile(f"/var/log/ckan/{program}.log") for program in ("web", "jobs")),
        *(Directory(path, CKAN) for path in (*own, *storage)),
        Directory("/var/lib/ckan/config", Access(0o700, "www-data", "www-data")),
        Directory("/run/dcor-server", Access(0o755)),
        Directory(SOCKETS, Access(0o750, "www-data", "www-data")),
    )


def _ckan(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    return (
        Directory(ckan_additions.DIRECTORY, Access(0o750)),
        ckan_ini(settings),
        ManagedFile(UWSGI_INI, "ckan/templates/uwsgi.ini", {"workers": _workers(settings, facts)}),
    )


def _read_by_ckan(settings: Settings) -> tuple[str, ...]:
    named = (settings.licences, settings.resource_supplements)
    return (release.CKAN_INI, UWSGI_INI, BUNDLE, *(path for path in named if path.startswith("/")))


def _workers(settings: Settings, facts: Facts) -> int:
    """Return how many requests are answered at once: workers wait for the database more than they compute."""
    if settings.workers != "auto":
        return int(settings.workers)
    return max(4, min(2 * facts.cores, facts.memory // 500))
