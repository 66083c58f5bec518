"""Try what no page shows: that a release writes to the database, stores and deletes an object, and does jobs."""

from __future__ import annotations

import json

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import log as ckan_log
from dcor_pkg.ckan import release, sizes, switch
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoints
from dcor_pkg.services.postgresql import copies

MODULE = "dcor_runtime.deep_health"
#: to load CKAN on a busy machine, and for the jobs
TIMEOUT_SECONDS = 300.0


def problem(host: Host, settings: Settings, serving: Programs) -> str | None:
    """Return what the release that serves cannot do, or None."""
    try:
        problems = _try(host, settings, serving)
    except CommandFailed as error:
        return f"cannot run {MODULE}: {ckan_log.exception(error.hint) or error.reason}"
    except DcorError as error:
        return error.reason
    return problems[0] if problems else None


def _try(host: Host, settings: Settings, serving: Programs) -> list[str]:
    """Return what does not work. Raises DcorError where nothing can be written by the API, or nothing can be tried."""
    try:
        problems, token = _ask(host, serving)
        switch.prove_write(host, serving, settings.hostname, token)
    finally:
        copies.remove_trial_token(host, endpoints.of(settings).database)
    return problems


def _ask(host: Host, serving: Programs) -> tuple[list[str], str]:
    """Run the module in the release. Raises CommandFailed."""
    configuration = f"{serving.directory}/ckan.ini"
    command = ("python", "-m", MODULE, *sizes.QUEUES)
    output = release.run(host, serving.release, *command, timeout=TIMEOUT_SECONDS, configuration=configuration)
    found = json.loads(output.splitlines()[-1])
    return found["problems"], found["token"]
