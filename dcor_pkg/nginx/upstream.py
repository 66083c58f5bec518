"""The web server to which nginx passes requests for CKAN: one file, which each switch of releases replaces."""

from __future__ import annotations

from dcor_pkg.machine import paths

PATH = f"{paths.STATE}/nginx/upstream.conf"


def block(socket: str) -> str:
    """Return the text of the file, for a uWSGI server that listens on the unix socket `socket`."""
    return f"# Written by dcor-server at each switch.\nupstream dcor {{ server unix:{socket}; }}\n"
