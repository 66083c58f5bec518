"""Which web server nginx passes requests on to: one file, written anew at each switch of releases."""

from __future__ import annotations

from dcor_pkg.machine import paths

PATH = f"{paths.STATE}/nginx/upstream.conf"


def block(socket: str) -> str:
    """Return the text of the file that leads to the uWSGI server on a unix socket."""
    return f"# Written by dcor-server at each switch.\nupstream dcor {{ server unix:{socket}; }}\n"
