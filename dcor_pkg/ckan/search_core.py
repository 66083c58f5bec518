"""The steps that let a release have a core of the local Solr with its schema (docs/decisions/search-core.md).

What serves goes on with its core meanwhile. What was written during the change is indexed in the new core as well:
Solr records in each document when it was indexed, so the core that was used before tells what that is.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, replace

from dcor_pkg.ckan import database_schema, programs, release, search_index
from dcor_pkg.ckan.ckan_ini import CkanIni
from dcor_pkg.ckan.search_index import REBUILD, REBUILD_TIMEOUT_SECONDS
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import managed_file, pending
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.solr import cores, new_schema
from dcor_pkg.services.solr import local as solr

#: how long Solr may take from the time that is in a document until that is found
MARGIN_SECONDS = 120.0
#: as Solr writes times, in UTC
TIME = "%Y-%m-%dT%H:%M:%SZ"
#: the site is in use: each time a dataset may be made between two questions
ATTEMPTS = 5


@dataclass(frozen=True)
class SearchCore:
    """A core with the schema of the release, which ckan.ini names. A switch to the release comes after it."""

    release: str
    database: Endpoint
    solr: Endpoint
    ini: CkanIni
    name: str = "search core"

    def check(self, host: Host) -> str | None:
        if cores.in_text(host.read(CKAN_INI)) is None:
            return None  # an addition names a Solr that is not ours
        core = self._fitting(host)
        if core is None:
            return f"no core of Solr has the schema of the release {self.release} and its datasets"
        return (
            None if core == cores.named(host) else f"{CKAN_INI} does not name the core {core}, which the release needs"
        )

    def apply(self, host: Host) -> None:
        """Fill the core beside if needed, and name it. Raises DcorError; then ckan.ini is as it was."""
        core = self._fitting(host) or self._prepare(host)
        if core != _serving_core(host):
            pending.request(host, self._complete(host, core))
        ini = replace(self.ini, core=core)
        if ini.check(host) is not None:
            ini.apply(host)
        if cores.named(host) != core:
            new = managed_file.new_version(CKAN_INI)
            reason = f"{CKAN_INI} was changed locally, and does not name the core {core}, which the release needs."
            raise DcorError(
                reason, f"Set its solr_url to that of {new}, or move that file over it; then: dcor-server converge"
            )

    def _schema(self, host: Host) -> str:
        """Return the schema of the release, or of what it will be made of. Raises DcorError."""
        home = release.directory(self.release)
        is_made = release.is_made(host, self.release)
        return solr.crash_safe(solr.schema_of_ckan(host, home) if is_made else solr.schema_of_ckan(host))

    def _fitting(self, host: Host) -> str | None:
        """Return the core that the release can use: that of the serving programs, or the other one if it is filled."""
        state, wanted, core = cores.read(host), self._schema(host), _serving_core(host)
        if state is None:
            return core  # Solr is not set up yet
        beside = cores.other(core)
        if state.schemas[core] == wanted:
            return core
        return beside if state.schemas[beside] == wanted and self._is_filled(host, beside) else None

    def _is_filled(self, host: Host, core: str) -> bool:
        state = cores.read(host)
        return state is not None and core in state.filled

    def _prepare(self, host: Host) -> str:
        """Give the core that is not in use the schema, fill it, and return its name. Raises DcorError."""
        serving = _serving_core(host)
        core = cores.other(serving)
        new_schema.require_room(host, serving)
        new_schema.put(host, self.solr, core, self._schema(host))
        began = time.time()
        if self._must_migrate(host):
            _fill_by_former(host, core)
        else:
            _fill(host, self.release, core)
        cores.caught_up(host, core, began - MARGIN_SECONDS)
        return core

    def _must_migrate(self, host: Host) -> bool:
        """Return whether the release cannot read the database before the switch to it has migrated that."""
        return database_schema.outdated(host, self.release, self.database) is not None

    def _complete(self, host: Host, core: str) -> str:
        """Let a core have what the one in use has, and return what is to be done after the switch. Raises DcorError."""
        if self._must_migrate(host) or not _can_catch_up(host, self.release):
            return pending.REBUILD_INDEX
        self._prove(host, core)
        return pending.CATCH_UP_INDEX

    def _prove(self, host: Host, core: str) -> None:
        """Let a core have all that the one in use has. Raises DcorError where that does not succeed."""
        problem: str | None = None
        for _ in range(ATTEMPTS):
            began = time.time()
            failed, lost = _catch_up(host, self.release, core, _configuration(host, core))
            if lost:
                reason = f"The release {self.release} cannot index datasets that are found now ({len(lost)}, such as {lost[0]})."
                raise DcorError(reason, "The server goes on as before. CKAN's messages are in /var/log/ckan.")
            problem = search_index.difference(host, self.database, self.solr, len(failed), core)
            if problem is None:
                # Nothing is in it that the other one lacks, which has been in use until now.
                cores.caught_up(host, cores.other(core), began - MARGIN_SECONDS)
                return
        raise DcorError(f"The core {core} {problem}.", "The server goes on as before.")


@dataclass(frozen=True)
class SearchCoreComplete:
    """The core in use has what was written while the former programs used the other one."""

    release: str
    name: str = "search core complete"

    def check(self, host: Host) -> str | None:
        is_pending = pending.is_pending(host, pending.CATCH_UP_INDEX)
        return "may lack what was written during the change of the core" if is_pending else None

    def apply(self, host: Host) -> None:
        """Index that; where the other core cannot be asked, the step of the search index indexes all datasets."""
        try:
            _catch_up(host, self.release, cores.named(host), CKAN_INI)
        except CommandFailed:
            pending.request(host, pending.REBUILD_INDEX)
        pending.clear(host, pending.CATCH_UP_INDEX)


def require_for_way_back(host: Host, identity: str, ini: str | None) -> None:
    """Raise DcorError where the core that a former configuration names has another schema than its release."""
    core, state = cores.in_text(ini), cores.read(host)
    if core is None or state is None:
        return
    if state.schemas[core] != solr.crash_safe(solr.schema_of_ckan(host, release.directory(identity))):
        raise DcorError(
            f"The search index of the release {identity} is not there any more: its core was filled for another release.",
            "dcor-server release list",
        )


def request_for_way_back(host: Host, ini: str | None) -> None:
    """Let the next converge index what is missing in the core that a former configuration names."""
    core, state = cores.in_text(ini), cores.read(host)
    if core is not None and state is not None and core != cores.named(host):
        is_filled = core in state.filled
        pending.request(host, pending.CATCH_UP_INDEX if is_filled else pending.REBUILD_INDEX)


def _fill(host: Host, identity: str, core: str) -> None:
    """Let a release index all datasets in a core. Raises CommandFailed."""
    configuration = _configuration(host, core)
    release.run(host, identity, *REBUILD, timeout=REBUILD_TIMEOUT_SECONDS, configuration=configuration)


def _fill_by_former(host: Host, core: str) -> None:
    """Let the release that serves fill a core, so that searches find all until the next release indexes them anew.

    Where its CKAN does not take the schema (`check_solr_schema_version`), the core stays empty until then.
    """
    serving = programs.serving(host)
    if serving is not None:
        with contextlib.suppress(CommandFailed):
            _fill(host, serving.release, core)


def _serving_core(host: Host) -> str:
    """Return the core that the serving programs use; a run that was cut off may have left another one in ckan.ini."""
    serving = programs.serving(host)
    own = None if serving is None else cores.in_text(host.read(f"{serving.directory}/ckan.ini"))
    return own or cores.named(host)


def _configuration(host: Host, core: str) -> str:
    """Write a copy of ckan.ini that names a core, and return its path. Switches remove it."""
    path = f"{programs.CONFIGURATIONS}/{core}/ckan.ini"
    host.write(path, cores.renamed(host.read(CKAN_INI) or "", core), programs.COPY)
    return path


def _can_catch_up(host: Host, identity: str) -> bool:
    """Return whether a release has the module; those that were made before there were two cores lack it."""
    site = release.site_packages(host, release.directory(identity))
    return host.exists(f"{site}/dcor_runtime/catch_up.py")


def _catch_up(host: Host, identity: str, core: str, configuration: str) -> tuple[list[str], list[str]]:
    """Index in a core what was indexed in the other one since they were equal, and what differs.

    Returns the ids of the datasets that CKAN cannot index, and those of them that the other core has. Raises
    CommandFailed.
    """
    state, began, beside = cores.read(host), time.time(), cores.other(core)
    since = time.strftime(TIME, time.gmtime(state.filled.get(core, 0.0) if state else 0.0))
    command = ("python", "-m", "dcor_runtime.catch_up", f"{cores.ORIGIN}/{beside}", since)
    output = release.run(host, identity, *command, timeout=REBUILD_TIMEOUT_SECONDS, configuration=configuration)
    found = json.loads(output.strip().splitlines()[-1])
    cores.caught_up(host, core, began - MARGIN_SECONDS)
    return found["failed"], found["lost"]
