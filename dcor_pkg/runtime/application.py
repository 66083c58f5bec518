"""Load CKAN, and drop the connections that this opens."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from logging.config import fileConfig
from typing import Any

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
from dcor_runtime import error_mail, hold, patience, sessions


def load(wait: Callable[[], None] = lambda: None) -> Any:
    """Load CKAN as `$CKAN_INI` configures it, and return its WSGI application.

    `wait` is called before the first connection to the database.
    """
    hold.install(wait)
    patience.install()
    ini = os.environ["CKAN_INI"]
    fileConfig(ini, disable_existing_loggers=False)
    config = CKANConfigLoader(ini).get_config()
    app = make_app(config)
    flask = app._wsgi_app  # noqa: SLF001 (the Flask application, as CKAN's own commands find it)
    sessions.install(flask)
    error_mail.install(flask, config)
    return app


def drop_connections(*, close: bool) -> None:
    """Drop every connection to PostgreSQL and Redis.

    `close`: close the sockets as well, in the process that opened them. A forked process that inherited them only
    forgets them, since other processes use the same sockets.
    """
    from ckan import model
    from ckan.lib import redis

    if close:
        model.Session.remove()
        if redis._connection_pool is not None:  # noqa: SLF001 (CKAN has no function for it)
            redis._connection_pool.disconnect()  # noqa: SLF001
        gc.collect()
    else:
        model.Session.registry.clear()
    if model.meta.engine is not None:
        model.meta.engine.dispose(close=close)
    redis._connection_pool = None  # noqa: SLF001
