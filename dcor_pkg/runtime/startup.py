"""Resolve the server's own name to loopback, and set the environment.

A .pth file makes each Python of a release import this when it starts.

CKAN addresses the object store by the server's public name, because that name is part of a presigned URL. Behind NAT,
or before the name is registered, the public address does not lead back to the server. (On .pth files: module `site` in
the documentation of Python's standard library.)
"""

from __future__ import annotations

import configparser
import functools
import os
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from dcor_runtime import REGION

os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
os.environ.setdefault("CKAN_INI", "/etc/ckan/default/ckan.ini")
# HDF5 reads it when it is loaded. The file is there where locks do not work (a step of dcor-server, file_locking.py).
if os.path.exists("/var/lib/dcor-server/hdf5-without-locks"):  # noqa: PTH110 (each start of Python would load pathlib)
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

#: in a release with checkouts: where they are (dcor-server, ckan/release_checkouts.py)
CHECKOUTS = os.path.join(os.path.dirname(__file__), "checkouts.json")  # noqa: PTH118, PTH120 (as above)


def add_checkouts(file: str) -> None:
    """Let this Python import from the checkouts; their directories ckanext are among those of the other extensions.

    CKAN has made the package ckanext before (its own .pth file); a checkout's ckanext/__init__.py would take its place.
    """
    import json

    import ckanext

    with open(file, encoding="utf-8") as text:  # noqa: PTH123 (as above)
        roots = [checkout["root"] for checkout in json.load(text)]
    ckanext.__path__ = [*ckanext.__path__, *(f"{root}/ckanext" for root in roots)]
    sys.path.extend(roots)


# What is in a checkout is the developer's, and CKAN's user runs it. Root does not.
if os.path.exists(CHECKOUTS) and os.geteuid() != 0:  # noqa: PTH110 (as above)
    add_checkouts(CHECKOUTS)

_getaddrinfo = socket.getaddrinfo


@functools.cache
def _own_name() -> str | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    if not os.access(os.environ["CKAN_INI"], os.R_OK) or not parser.read(os.environ["CKAN_INI"]):
        return None
    return urlsplit(parser.get("app:main", "ckan.site_url", fallback="")).hostname


def _loopback_for_own_name(host: Any, *rest: Any, **named: Any) -> Any:
    return _getaddrinfo("127.0.0.1" if host is not None and host == _own_name() else host, *rest, **named)


socket.getaddrinfo = _loopback_for_own_name
