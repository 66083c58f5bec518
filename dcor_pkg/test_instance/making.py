"""Make a test instance, and remove it: all of it beside production, of which nothing is changed.

The record is written last, so what lacks it was cut off, and is removed before another one is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError, undoing
from dcor_pkg.kernel import instance
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_USER
from dcor_pkg.runtime import store_mark
from dcor_pkg.services.solr import local as solr
from dcor_pkg.test_instance import checkout, configuration, credentials, database, environment, record, room, services
from dcor_pkg.test_instance.credentials import Credentials
from dcor_pkg.test_instance.places import ENVIRONMENT, FILES, HOME, INI, PACKAGE, RECORD, SHIPPED, SUITES

OF_CKAN = Access(0o700, CKAN_USER, CKAN_USER)
#: what needs much room
LARGE = (FILES, SUITES, ENVIRONMENT, f"{HOME}/solr", f"{HOME}/store")
#: below FILES; the home directory is for what libraries remember
DIRECTORIES = (FILES, *(f"{FILES}/{name}" for name in ("storage", "webassets", "depot", "serve", "home")), SUITES)
Report = Callable[[str], None]


def create(host: Host, settings: Settings, active: str, report: Report) -> None:
    """Make a test instance for the active release. Raises DcorError; then nothing of it remains."""
    _require_possible(host)
    if host.exists(HOME):
        report("Removing what is left of a test instance that was not completed.")
        remove(host)
    room.require_for_instance(host)
    database.require_possible(host)
    configuration.require_possible(host)
    try:
        with room.explained(host):
            _make(host, settings, active, report)
    except BaseException as error:
        with undoing(error):
            remove(host)
        raise


def remove(host: Host) -> bool:
    """Remove all of it, also what a suite has left: first what frees room, which the rest needs on a full disk.

    Return False where PostgreSQL does not answer, so that database and role stay.
    """
    services.stop(host)
    host.remove(RECORD)
    for directory in LARGE:
        host.remove_tree(directory)
    checkout.remove(host)
    is_dropped = database.drop(host)
    configuration.remove(host)
    host.remove_tree(HOME)
    return is_dropped


def _require_possible(host: Host) -> None:
    if (found := record.read(host)) is not None:
        raise DcorError(f"There is a test instance already, made on {found.moment}.", record.REMOVE)
    if not host.exists(SHIPPED):
        raise DcorError(f"The tools of the suites are missing: {SHIPPED}", f"apt install {PACKAGE}")


def _make(host: Host, settings: Settings, active: str, report: Report) -> None:
    own = credentials.new()
    host.make_directory(HOME, Access(0o755))
    for directory in DIRECTORIES:
        host.make_directory(directory, OF_CKAN)
    report("Starting Solr, an object store and Redis beside those that serve.")
    services.write(host, own, solr.schema_of_ckan(host, release.directory(active)))
    services.start(host)
    report("Installing the tools of the suites.")
    environment.make(host, active)
    report("Making the database.")
    database.drop(host)  # where PostgreSQL did not answer when the former one was removed
    database.create(host, own.database)
    configuration.write(host, settings, own)
    services.await_answers(host, own)
    _mark_store(host, own)
    release.run(host, active, "python", "-m", "dcor_runtime.database", "upgrade", configuration=INI)
    record.write(host, record.Instance(active, time.time()))


def _mark_store(host: Host, own: Credentials) -> None:
    """Mark the store as that of the database: without that nothing in a release deletes anything there."""
    mark = store_mark.name((instance.known(host) or "").strip(), database.ask(host, store_mark.IDENTITY))
    services.store_client(host, own).require("PUT", f"/{mark}", "create buckets")
