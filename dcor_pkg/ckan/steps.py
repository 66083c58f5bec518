"""The steps that set up CKAN, in groups: other steps of the plan come between them."""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import additions, checkouts, outdated, release_id, sizes, temporary_directories, unit
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.addresses import Addresses
from dcor_pkg.ckan.admin_commands import AdminCommands
from dcor_pkg.ckan.ckan_ini import ckan_ini
from dcor_pkg.ckan.database_schema import DatabaseSchema
from dcor_pkg.ckan.file_locking import FileLocking
from dcor_pkg.ckan.former_supervisor import NoFormerPrograms
from dcor_pkg.ckan.index_difference import IndexDocuments
from dcor_pkg.ckan.kept_pythons import KeptPythons
from dcor_pkg.ckan.migration_end import NoHalfMigration
from dcor_pkg.ckan.options_in_database import OptionsInDatabase
from dcor_pkg.ckan.programs import UWSGI_INI
from dcor_pkg.ckan.readable_checkouts import NoFormerCheckouts, ReadableCheckouts
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.ckan.search_core import SearchCore, SearchCoreComplete
from dcor_pkg.ckan.search_index import SearchIndex
from dcor_pkg.ckan.strays import NoStrays
from dcor_pkg.ckan.upgrade_backup import UpgradeBackup
from dcor_pkg.ckan.usable_pth import UsablePth
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.log_directories import LogDirectories
from dcor_pkg.kernel.log_file import LogFile
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import paths
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access
from dcor_pkg.nginx import limits
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store.ownership import StoreMark
from dcor_pkg.tls.trust_bundle import BUNDLE

OWNED = Access(0o755, paths.CKAN_USER, paths.CKAN_USER)
PRIVATE = Access(0o700, paths.CKAN_USER, paths.CKAN_USER)
#: not for all users of the machine: what users of CKAN have done is in the logs
LOGS = Access(0o750, paths.CKAN_USER, "adm")
#: the beginnings of the units that needrestart(1) does not restart
LEFT_ALONE = (unit.UNIT, "postgresql@", "redis-server@dcor.service", "dcor-solr.service", "supervisor.service")


def prepare_steps(settings: Settings, _: Facts) -> tuple[Step, ...]:
    """Return the steps that make secrets, directories and log files; DATA has to exist before."""
    return (
        *(RandomSecret(name) for name in ("ckan-secret-key", "ckan-csrf-key")),
        *_directories(settings),
        unit.drop_in(settings),
        ManagedFile(
            "/etc/needrestart/conf.d/dcor-server.conf", "ckan/templates/needrestart.conf", {"units": LEFT_ALONE}
        ),
    )


def recovery_steps(settings: Settings) -> tuple[Step, ...]:
    """Return the step that ends what a power cut, or a killed command, has left; the database has to answer before."""
    return (NoHalfMigration(settings.hostname, endpoints.of(settings).database),)


def release_steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that make the release, its configuration, and the tables that it needs."""
    wanted, used = _wanted(settings, facts), endpoints.of(settings)
    paths_of_checkouts = checkouts.paths(settings)
    is_former = wanted != release_id.of(facts, paths_of_checkouts)
    made = ReleaseMade(wanted, is_former=is_former, checkouts=paths_of_checkouts)
    return (
        ReadableCheckouts(paths_of_checkouts),
        made,
        UsablePth(made),
        Directory(additions.DIRECTORY, Access(0o750)),
        ckan_ini(settings),
        ManagedFile(UWSGI_INI, "ckan/templates/uwsgi.ini", _of_uwsgi(settings, facts)),
        UpgradeBackup(wanted, used.database),
        DatabaseSchema(wanted, used.database),
        Addresses(f"https://{settings.hostname}", used.object_store.origin, used.database),
        OptionsInDatabase(used.database),
    )


def activation_steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that put the release in service; all services that CKAN needs have to run before."""
    used, wanted = endpoints.of(settings), _wanted(settings, facts)
    core = SearchCore(wanted, used.database, used.solr, ckan_ini(settings))
    is_local = used.solr.local
    return (
        *((core,) if is_local else ()),
        active_release(settings, facts),
        *((SearchCoreComplete(wanted),) if is_local else ()),
        NoFormerCheckouts(checkouts.paths(settings)),
        KeptPythons(),
        NoFormerPrograms(),
        NoStrays(),
        AdminCommands(),
        ManagedFile("/etc/logrotate.d/dcor-server", "ckan/templates/logrotate"),
    )


def active_release(settings: Settings, facts: Facts) -> ActiveRelease:
    """Return the step that puts the release in service."""
    used = endpoints.of(settings)
    return ActiveRelease(
        _wanted(settings, facts),
        settings.hostname,
        settings.data,
        reads=_read_at_start(settings),
        queues=sizes.job_workers(facts),
        database=used.database,
        mark=StoreMark(used.object_store, used.database),
    )


def index_steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that rebuild and repair the search index. It may take hours, so the site is complete before."""
    used = endpoints.of(settings)
    return (
        SearchIndex(_wanted(settings, facts), used.database, used.solr),
        IndexDocuments(used.database, used.solr),
    )


def _wanted(settings: Settings, facts: Facts) -> str:
    return release_id.wanted(facts, checkouts.paths(settings))


def removal_lines(settings: Settings) -> tuple[str, ...]:
    """Return the lines of the removal plan for what CKAN has outside of the data directory."""
    return (f"stop {unit.UNIT}", *temporary_directories.removal_lines(settings))


def _directories(settings: Settings) -> tuple[Step, ...]:
    own = (*temporary_directories.of_extensions(settings), temporary_directories.WEB_ASSETS)
    storage = (f"{settings.data}/ckan", f"{settings.data}/ckan/resources", f"{settings.data}/ckan/storage")
    return (
        # before systemd makes it with the others, without a restart of CKAN
        Directory(paths.CKAN_LOGS, LOGS, then=(unit.RESTART,)),
        LogDirectories(),
        Directory(paths.LOGS, Access(0o750, "root", "adm")),
        *(LogFile(f"{paths.CKAN_LOGS}/{program}.log") for program in ("web", "jobs")),
        Directory(settings.scratch, OWNED, shared=True, then=(unit.RESTART,)),
        *(Directory(path, OWNED, then=(unit.RESTART,)) for path in storage[:1]),
        *(Directory(path, OWNED) for path in (*own, *storage[1:])),
        *(
            Directory(path, PRIVATE)
            for path in (temporary_directories.HOME, temporary_directories.of_uploads(settings))
        ),
        Directory(paths.PROGRAMS, Access(0o755)),
        FileLocking((f"{settings.data}/ckan", settings.scratch, *temporary_directories.of_extensions(settings))),
    )


def _of_uwsgi(settings: Settings, facts: Facts) -> dict[str, int]:
    """Return the values of its template."""
    return {"workers": limits.workers(settings, facts), "worker_limit": sizes.worker_limit(facts)}


def _read_at_start(settings: Settings) -> tuple[str, ...]:
    """Return the files and directories that CKAN reads when it starts, and only then; of one the text alone counts."""
    named = (settings.licences, settings.resource_supplements)
    own = (paths.CKAN_INI, UWSGI_INI, BUNDLE, outdated.ANEW, paths.HDF5_WITHOUT_LOCKS)
    code = (paths.CHECKOUTS,) if checkouts.paths(settings) else ()
    return (*own, *(path for path in named if path.startswith("/")), *code)
