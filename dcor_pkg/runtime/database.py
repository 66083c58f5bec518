"""Migrate CKAN's tables: `python -m dcor_runtime.database upgrade`; `head` prints the newest revision.

`upgrade` does what `ckan db init` and `ckan db upgrade` do, also for each plugin with migrations of its own, and loads
CKAN only once.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.script import ScriptDirectory


def head() -> str:
    """Return the newest revision of CKAN's own tables, without loading CKAN."""
    import ckan.migration

    revision: str | None = ScriptDirectory(str(Path(ckan.migration.__file__).parent)).get_current_head()
    if revision is None:
        raise RuntimeError("CKAN has no migrations.")
    return revision


def upgrade() -> None:
    """Create or migrate all tables."""
    from ckan.cli.db import _migrate_plugins, _run_migrations
    from dcor_runtime import application

    application.load()
    _run_migrations("")
    _migrate_plugins(apply=True)


if __name__ == "__main__":
    if sys.argv[1] == "upgrade":
        upgrade()
    else:
        print(head())
