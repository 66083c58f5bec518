"""The web server to which nginx passes requests for CKAN: one file, which each switch of releases replaces."""

from __future__ import annotations

from dcor_pkg.machine import paths

PATH = f"{paths.STATE}/nginx/upstream.conf"


def block(socket: str) -> str:
    """Return the text of the file, for a uWSGI server that listens on the unix socket `socket`.

    It is listed twice, since nginx repeats a request only with another server (`uwsgi_next_upstream` in site.conf).
    """
    servers = " ".join([f"server unix:{socket} max_fails=0;"] * 2)
    return f"# Written by dcor-server at each switch.\nupstream dcor {{ {servers} }}\n"
