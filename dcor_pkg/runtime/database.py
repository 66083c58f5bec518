"""CKAN's tables: `python -m dcor_runtime.database head` tells the wanted revision, `upgrade` brings them there.

`upgrade` does what `ckan db init` and `ckan db upgrade` do, and the same for each plugin with migrations of
its own, with CKAN loaded once.
"""

from __future__ import annotations

import os
import sys

from alembic.script import ScriptDirectory


def head() -> str:
    """Return the newest revision of CKAN's own tables, without loading CKAN."""
    import ckan.migration

    revision: str | None = ScriptDirectory(os.path.dirname(ckan.migration.__file__)).get_current_head()
    assert revision is not None
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
