"""Tell whoever starts CKAN with a copy of this server's ckan.ini that it shares the server's secrets."""

from __future__ import annotations

import functools
import logging
import os
from typing import Any

from ckan.cli import CKANConfigLoader

log = logging.getLogger(f"ckanext.{__name__}")
#: the file of the server
LIVE = "/etc/ckan/default/ckan.ini"
#: the directory of the copies that its own programs read; these may be older than the file
CONFIGURATIONS = "/var/lib/dcor-server/configurations/"
DATABASE = "sqlalchemy.url"
#: what only one server may have, and what it is
SECRETS = {
    "dcor_object_store.secret_access_key": "the keys of the server's object store",
    "SECRET_KEY": "the server's secret key",
}


def warn(config: Any) -> None:
    """Log a warning, once, where a configuration has secrets of this server's and another database."""
    path = config.get("__file__", "")
    if path.startswith(CONFIGURATIONS) or not os.access(LIVE, os.R_OK):
        return
    live = CKANConfigLoader(LIVE).get_config()
    shared = tuple(words for name, words in SECRETS.items() if live.get(name) and config.get(name) == live[name])
    if shared and config.get(DATABASE) != live.get(DATABASE):
        _warn(path, shared)


@functools.cache
def _warn(path: str, shared: tuple[str, ...]) -> None:
    log.warning(
        "CKAN is started with another database than that of %s, and with %s (%s): give it others of its own, because what "
        "it publishes or withdraws is the server's.",
        *(LIVE, " and ".join(shared), path),
    )
