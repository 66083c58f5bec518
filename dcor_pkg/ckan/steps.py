"""The steps of CKAN: its directories, its release and configuration, the switch to it, and the search index."""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import additions, release
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.addresses import Addresses
from dcor_pkg.ckan.admin_commands import AdminCommands
from dcor_pkg.ckan.ckan_ini import ckan_ini
from dcor_pkg.ckan.database_schema import DatabaseSchema
from dcor_pkg.ckan.programs import SOCKETS, UWSGI_INI
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.ckan.search_index import SearchIndex
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.log_file import LogFile
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.kernel.systemd_service import Service
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CKAN_USER
from dcor_pkg.services import endpoints
from dcor_pkg.services.engines import ENGINES
from dcor_pkg.tls.trust_bundle import BUNDLE

OF_CKAN = Access(0o755, CKAN_USER, CKAN_USER)
#: what `dcor inspect` expects of CKAN's log directory
LOGS = Access(0o755, CKAN_USER, "adm")


def prepare_steps(settings: Settings, _: Facts) -> tuple[Step, ...]:
    """Return the steps for what CKAN writes into."""
    scratch = settings.scratch
    own = (scratch, f"{scratch}/ckanext-dc_serve", f"{scratch}/ckanext-dcor_depot", "/var/lib/ckan/webassets")
    storage = (f"{settings.data}/ckan", f"{settings.data}/ckan/resources", f"{settings.data}/ckan/storage")
    return (
        *(RandomSecret(name) for name in ("ckan-secret-key", "ckan-csrf-key")),
        Directory("/var/log/dcor-server", Access(0o750, "root", "adm")),
        Directory("/var/log/ckan", LOGS),
        *(LogFile(f"/var/log/ckan/{program}.log") for program in ("web", "jobs")),
        *(Directory(path, OF_CKAN) for path in (*own, *storage)),
        Directory("/var/lib/ckan/config", Access(0o700, CKAN_USER, CKAN_USER)),
        Directory("/run/dcor-server", Access(0o755)),
        Directory(SOCKETS, Access(0o750, CKAN_USER, CKAN_USER)),
        ManagedFile(
            "/etc/systemd/system/supervisor.service.d/dcor-server.conf",
            "ckan/templates/supervisor-unit.conf",
            {"units": tuple(engine.unit for engine in ENGINES)},
        ),
    )


def release_steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that make the release, its configuration, and the tables that it needs."""
    wanted, used = release.wanted(facts), endpoints.of(settings)
    return (
        ReleaseMade(wanted),
        Directory(additions.DIRECTORY, Access(0o750)),
        ckan_ini(settings),
        ManagedFile(UWSGI_INI, "ckan/templates/uwsgi.ini", {"workers": _workers(settings, facts)}),
        DatabaseSchema(wanted, used.database),
        Addresses(f"https://{settings.hostname}", used.object_store.origin, used.database),
    )


def activation_steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that switch to the release."""
    wanted = release.wanted(facts)
    return (
        Service("supervisor.service"),
        ActiveRelease(wanted, settings.hostname, settings.data, _read_by_ckan(settings)),
        AdminCommands(),
        ManagedFile("/etc/logrotate.d/dcor-server", "ckan/templates/logrotate"),
    )


def index_steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the step that makes the search index from the database."""
    used = endpoints.of(settings)
    return (SearchIndex(release.wanted(facts), used.database, used.solr),)


def _read_by_ckan(settings: Settings) -> tuple[str, ...]:
    named = (settings.licences, settings.resource_supplements)
    return (release.CKAN_INI, UWSGI_INI, BUNDLE, *(path for path in named if path.startswith("/")))


def _workers(settings: Settings, facts: Facts) -> int:
    """Return how many requests are answered at once: workers wait for the database more than they compute."""
    if settings.workers != "auto":
        return int(settings.workers)
    return max(4, min(2 * facts.cores, facts.memory // 500))
