"""The plan: everything that the package does to a machine, in order. Pure: no look at the machine, no change to it."""

from __future__ import annotations

from dcor_pkg import ckan_additions, engines, release, services
from dcor_pkg.facts import Facts
from dcor_pkg.host import Access
from dcor_pkg.managed_file import ManagedFile
from dcor_pkg.programs import SOCKETS, UWSGI_INI
from dcor_pkg.secrets import RandomSecret
from dcor_pkg.services import Services
from dcor_pkg.settings import OWN, Settings
from dcor_pkg.step import Step
from dcor_pkg.steps import nginx, object_store, own_certificate, redis, solr
from dcor_pkg.steps.active_release import ActiveRelease
from dcor_pkg.steps.addresses import Addresses
from dcor_pkg.steps.admin_commands import AdminCommands
from dcor_pkg.steps.certificate import BUNDLE, PAIRS, TrustBundle
from dcor_pkg.steps.ckan_ini import ckan_ini
from dcor_pkg.steps.data_directory import DataDirectory
from dcor_pkg.steps.database_schema import DatabaseSchema
from dcor_pkg.steps.folder import Folder
from dcor_pkg.steps.kept_settings import KeptSettings
from dcor_pkg.steps.log_file import LogFile
from dcor_pkg.steps.own_certificate import OwnCertificate
from dcor_pkg.steps.postgresql import DatabaseLogin, PostgresqlDatabase
from dcor_pkg.steps.postgresql_cluster import ClusterParked, ClusterUsed
from dcor_pkg.steps.release_made import ReleaseMade
from dcor_pkg.steps.search_index import SearchIndex
from dcor_pkg.steps.self_signed import SelfSignedCertificate
from dcor_pkg.steps.service import Service, ServiceBegun, ServiceOff

CKAN = Access(0o755, "www-data", "www-data")
#: what `dcor inspect` wants of CKAN's log folder
LOGS = Access(0o755, "www-data", "adm")


def build_plan(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that make a machine as the settings say."""
    wanted, used = release.wanted(facts), services.of(settings)
    return (
        KeptSettings(),
        *(RandomSecret(name) for name in (services.DATABASE_PASSWORD, "ckan-secret-key", "ckan-csrf-key")),
        DataDirectory(settings.data),
        *_folders(settings),
        ManagedFile("/etc/apt/apt.conf.d/01dcor-server", "apt.conf"),
        ManagedFile("/etc/systemd/system/supervisor.service.d/dcor-server.conf", "supervisor-unit.conf"),
        *_engines(settings, used),
        # They start while the release is made, and nobody waits for them before they are needed.
        *(ServiceBegun(unit) for unit in engines.needed(used)),
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
        ManagedFile("/etc/logrotate.d/dcor-server", "logrotate"),
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
    return (ClusterUsed(), login, PostgresqlDatabase(used.database)) if used.database.local else (login,)


def _not_needed(used: Services) -> tuple[Step, ...]:
    """Return what stops those engines whose work is done elsewhere: last, when nobody asks them any more."""
    off = tuple(ServiceOff(unit) for unit in engines.not_needed(used))
    return off if used.database.local else (*off, ClusterParked())


def _certificate(settings: Settings) -> Step:
    if settings.certificate == OWN:
        return OwnCertificate(own_certificate.source(settings), settings.hostname)
    return SelfSignedCertificate(settings.hostname)


def _folders(settings: Settings) -> tuple[Step, ...]:
    scratch = settings.scratch
    own = (scratch, f"{scratch}/ckanext-dc_serve", f"{scratch}/ckanext-dcor_depot", "/var/lib/ckan/webassets")
    storage = (f"{settings.data}/ckan", f"{settings.data}/ckan/resources", f"{settings.data}/ckan/storage")
    return (
        Folder("/var/log/dcor-server", Access(0o750, "root", "adm")),
        Folder("/var/log/ckan", LOGS),
        *(LogFile(f"/var/log/ckan/{program}.log") for program in ("web", "jobs")),
        *(Folder(path, CKAN) for path in (*own, *storage)),
        Folder("/var/lib/ckan/config", Access(0o700, "www-data", "www-data")),
        Folder("/run/dcor-server", Access(0o755)),
        Folder(SOCKETS, Access(0o750, "www-data", "www-data")),
    )


def _ckan(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    return (
        Folder(ckan_additions.FOLDER, Access(0o750)),
        ckan_ini(settings),
        ManagedFile(UWSGI_INI, "uwsgi.ini", {"workers": _workers(settings, facts)}),
    )


def _read_by_ckan(settings: Settings) -> tuple[str, ...]:
    named = (settings.licences, settings.resource_supplements)
    return (release.CKAN_INI, UWSGI_INI, BUNDLE, *(path for path in named if path.startswith("/")))


def _workers(settings: Settings, facts: Facts) -> int:
    """Return how many requests are answered at once: workers wait for the database more than they compute."""
    if settings.workers != "auto":
        return int(settings.workers)
    return max(4, min(2 * facts.cores, facts.memory // 500))
