"""Sessions that end for ever when a user is disabled.

CKAN keeps a session in a cookie only, and ignores it while the user is disabled. If the user is enabled again, it would
count again, with whoever has the cookie. Therefore each session gets a number of the user, which disabling changes.
"""

from __future__ import annotations

from typing import Any

import flask
import flask_login

#: in the session, and among the user's `plugin_extras`
KEY = "dcor_server_sessions"


def number(user: Any) -> int:
    """Return the number of a user's valid sessions: 0 for one who was never disabled."""
    found: int = (user.plugin_extras or {}).get(KEY, 0)
    return found


def end(user: Any) -> None:
    """End all sessions of a user; the caller commits it."""
    user.plugin_extras = {**(user.plugin_extras or {}), KEY: number(user) + 1}


def install(app: Any) -> None:
    """Let CKAN, as a Flask application, compare the numbers; also in a session that a remember-me cookie begins."""
    manager = app.login_manager
    load = manager._user_callback  # noqa: SLF001 (what CKAN has given to user_loader)

    def load_valid(identity: str) -> Any:
        user = load(identity)
        return user if user is not None and flask.session.get(KEY, 0) == number(user) else None

    manager.user_loader(load_valid)
    flask_login.user_logged_in.connect(_mark, app)


def _mark(_: object, user: Any) -> None:
    if number(user):
        flask.session[KEY] = number(user)
    else:
        flask.session.pop(KEY, None)
