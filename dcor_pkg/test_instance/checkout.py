"""A checkout whose tests are run: an editable install in the environment of the test instance.

Its modules come before those of the release, as they are at that moment, and its user lets CKAN's read them.
"""

from __future__ import annotations

import json
import re

from dcor_pkg.ckan import checkouts, readable_checkouts, release, release_checkouts
from dcor_pkg.ckan.checkouts import Checkout
from dcor_pkg.errors import DcorError, undoing
from dcor_pkg.machine import python_environment
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.test_instance.places import ENVIRONMENT

PUBLIC = Access(0o644)
#: for what CKAN's user is given rights
WANTED_BY = "test instance"
#: where the modules of the checkout are: what dcor_runtime.tested_checkout reads
LIST = f"{ENVIRONMENT}/checkout.json"
#: in site-packages: runs that module, by its name after release.pth
START = "tested-checkout.pth"
#: what systemd takes as one path
PATH = re.compile(r"(?:/[A-Za-z0-9._-]+)+")
HINT = "Name the directory with pyproject.toml and the directory tests."


def install(host: Host, active: str, path: str) -> Checkout:
    """Let the environment import from a checkout, and return it. Raises DcorError; then no part of it is there."""
    if not PATH.fullmatch(path):
        raise DcorError(f"{path} is not an absolute path of letters, digits, and . _ - /", HINT)
    found = checkouts.read(host, path)
    if not host.exists(f"{path}/tests"):
        raise DcorError(f"{path} has no tests: there is no directory {path}/tests.", HINT)
    remove(host)
    try:
        _install(host, active, found)
    except BaseException as error:
        with undoing(error):
            remove(host)
        raise
    return found


def _install(host: Host, active: str, found: Checkout) -> None:
    closed = readable_checkouts.opened(host, found.path, WANTED_BY)["closed"]
    if closed:
        raise DcorError(f"CKAN's user cannot read {closed}.", "Let the owner of that directory look at its mode.")
    site = python_environment.site_packages(host, ENVIRONMENT)
    modules = python_environment.site_packages(host, release.directory(active))
    release_checkouts.write_metadata(host, site, found, release_checkouts.tested_one(host, modules, found.name))
    host.write(LIST, json.dumps([found.root]), PUBLIC)
    host.write(f"{site}/{START}", "import dcor_runtime.tested_checkout\n", PUBLIC)


def remove(host: Host) -> None:
    """Let the environment have the modules of the release alone, and CKAN's user no rights in a checkout."""
    if host.exists(ENVIRONMENT):
        site = python_environment.site_packages(host, ENVIRONMENT)
        for path in (f"{site}/{START}", LIST):
            host.remove(path)
        for name in host.names(site):
            if name.endswith(f"{release_checkouts.SUFFIX}.dist-info"):
                host.remove_tree(f"{site}/{name}")
    readable_checkouts.take(host, WANTED_BY)
