"""Migrate CKAN's tables: `python -m dcor_runtime.database upgrade|trial`; `head` prints the newest revisions.

`upgrade` does what `ckan db init` and `ckan db upgrade` do, also for each plugin with migrations of its own, and loads
CKAN only once. `trial` does the same with a copy of the database: CKAN is loaded, and the copy used after a line on the
standard input (hold.py); a token is printed at the end. `head` prints the revision of CKAN's own tables, and then a
line `PLUGIN REVISION` for each plugin of the release that has migrations, whether it is enabled or not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from alembic.script import ScriptDirectory

#: below a directory of CKAN's extensions: where CKAN looks for the migrations of a plugin (ckan/cli/db.py)
MIGRATIONS = "*/migration/*/alembic.ini"


def head() -> str:
    """Return the newest revision of CKAN's own tables, without loading CKAN."""
    import ckan.migration

    revision = _newest(Path(ckan.migration.__file__).parent)
    if revision is None:
        raise RuntimeError("CKAN has no migrations.")
    return revision


def plugin_heads(places: Iterable[str]) -> dict[str, str]:
    """Return the newest revision of each plugin with migrations, in directories of extensions."""
    found = {file.parent.name: _newest(file.parent) for place in places for file in Path(place).glob(MIGRATIONS)}
    return {plugin: revision for plugin, revision in sorted(found.items()) if revision is not None}


def _newest(directory: Path) -> str | None:
    revision: str | None = ScriptDirectory(str(directory)).get_current_head()
    return revision


def _print_heads() -> None:
    import ckanext

    print(head())
    for plugin, revision in plugin_heads(ckanext.__path__).items():
        print(plugin, revision)


def upgrade(wait: Callable[[], None] = lambda: None) -> None:
    """Create or migrate all tables. `wait` is called before the first connection."""
    from ckan.cli.db import _migrate_plugins, _run_migrations
    from dcor_runtime import application

    application.load(wait)
    _run_migrations("")
    _migrate_plugins(apply=True)


def trial_token() -> str:
    """Return a token of CKAN's own sysadmin, by which the copy is written to; CKAN is loaded.

    Not by the action, whose schema plugins may change.
    """
    from ckan import model
    from ckan.lib import api_token
    from ckan.logic import get_action
    from dcor_runtime.trial import TOKEN

    user = get_action("get_site_user")({"ignore_auth": True}, {})
    token = model.ApiToken(model.User.get(user["name"]).id, TOKEN)
    model.Session.add(token)
    model.Session.commit()
    return str(api_token.encode({"jti": token.id, "iat": api_token.into_seconds(token.created_at)}))


if __name__ == "__main__":
    if sys.argv[1] == "upgrade":
        upgrade()
    elif sys.argv[1] == "trial":
        from dcor_runtime import hold

        upgrade(hold.until_told)
        print(trial_token())
    else:
        _print_heads()
