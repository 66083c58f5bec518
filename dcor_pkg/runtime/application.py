"""Load CKAN, and let go of the connections that loading it has opened."""

from __future__ import annotations

import gc
import os
from logging.config import fileConfig
from typing import Any

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app


def load() -> Any:
    """Load CKAN as `$CKAN_INI` configures it, and return its WSGI application."""
    ini = os.environ["CKAN_INI"]
    fileConfig(ini, disable_existing_loggers=False)
    return make_app(CKANConfigLoader(ini).get_config())


def let_go(*, close: bool) -> None:
    """Let go of every connection to PostgreSQL and Redis.

    `close`: in the process that opened them. One that only inherited them forgets them and leaves the
    sockets alone, which are others'.
    """
    from ckan import model
    from ckan.lib import redis

    if close:
        model.Session.remove()
        if redis._connection_pool is not None:
            redis._connection_pool.disconnect()
        gc.collect()
    else:
        model.Session.registry.clear()
    if model.meta.engine is not None:
        model.meta.engine.dispose(close=close)
    redis._connection_pool = None
