"""Set up only the two engines, with the same steps as on a server, and print the outcome of each step."""

from __future__ import annotations

import sys

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.kernel.systemd_service import Service
from dcor_pkg.machine.host import Host
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.solr import local as solr

SETTINGS = Settings(hostname="dcor.example.org", data_directory="/data")
PLAN = (
    DataDirectory("/data"),
    *solr.steps(SETTINGS),
    *object_store.steps(SETTINGS),
    Service(solr.UNIT),
    Service(object_store.UNIT),
)


def main() -> int:
    """Return 1 if a step failed."""
    outcomes = run(PLAN, Host())
    for outcome in outcomes:
        print(f"{outcome.result.value}: {outcome.step}: {outcome.reason} {outcome.hint}")
    return int(any(outcome.result is Result.FAILED for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
