"""Checkouts in a release: each takes the place of the distribution of the same name in the tested set.

The release has a distribution's metadata, so that CKAN finds its plugins, and a list by which each Python of CKAN's
user imports its modules from the checkout (dcor_runtime.startup). Root's does not: its code is not root's.
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict

from dcor_pkg.ckan import checkouts, release
from dcor_pkg.ckan.checkouts import Checkout
from dcor_pkg.machine.host import Access, Host

PUBLIC = Access(0o644)
#: in site-packages: what startup.py reads
LIST = "dcor_runtime/checkouts.json"
#: the directory of modules that several distributions share
SHARED = "ckanext"
#: ends the version of a checkout
SUFFIX = "+develop"
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


def difference(host: Host, home: str, paths: tuple[str, ...]) -> str | None:
    """Return how the release in `home` differs from what the checkouts say of themselves, or None."""
    recorded = host.read(f"{release.site_packages(host, home)}/{LIST}")
    wanted = _list(checkouts.read_all(host, paths)) if paths else None
    return None if recorded == wanted else "has another name or other entry points of a checkout than this has now"


def add(host: Host, unfinished: str, site: str, found: tuple[Checkout, ...]) -> None:
    """Let the release that is being made import from the checkouts, in the place of what it has of them."""
    for checkout in found:
        tested = tested_one(host, site, checkout.name)
        if tested is not None:
            _remove(host, site, tested)
        write_metadata(host, site, checkout, tested)
        licences = f"{SHARED}/dcor_schemas/licenses.json"
        if checkout.name == "ckanext-dcor-schemas":
            host.link(f"{unfinished}/{release.LICENCES}", f"{checkout.root}/{licences}")
    host.write(f"{site}/{LIST}", _list(found), PUBLIC)


def write_metadata(host: Host, site: str, checkout: Checkout, tested: str | None) -> None:
    """Write in a directory of modules what pip would know of a checkout; `tested` has a version where it has none."""
    version = f"{checkout.version or (tested or '').rpartition('-')[2] or '0'}{SUFFIX}"
    directory = f"{site}/{checkout.name.replace('-', '_')}-{version}.dist-info"
    host.write(f"{directory}/METADATA", METADATA.format(name=checkout.name, version=version), PUBLIC)
    host.write(f"{directory}/entry_points.txt", checkout.entry_points, PUBLIC)
    origin = {"url": f"file://{checkout.path}", "dir_info": {"editable": True}}  # PEP 610
    host.write(f"{directory}/direct_url.json", json.dumps(origin), PUBLIC)


def _list(found: tuple[Checkout, ...]) -> str:
    return json.dumps([asdict(checkout) for checkout in found], indent=1) + "\n"


def tested_one(host: Host, site: str, name: str) -> str | None:
    """Return NAME-VERSION of the distribution with this name in the tested set, or None."""
    for file in host.names(site):
        found, dash, _ = file.removesuffix(".dist-info").rpartition("-")
        if file.endswith(".dist-info") and dash and checkouts.normalized(found) == name:
            return file.removesuffix(".dist-info")
    return None


def _remove(host: Host, site: str, tested: str) -> None:
    """Remove a distribution: the directories and files that its record names (PEP 376), with the bytecode in them."""
    record = host.read(f"{site}/{tested}.dist-info/RECORD") or ""
    rows = [row[0].split("/") for row in csv.reader(record.splitlines()) if row]
    inside = [parts for parts in rows if parts[0] not in ("", "..", "__pycache__")]
    places = {"/".join(parts[: 2 if parts[0] == SHARED else 1]) for parts in inside} | {f"{tested}.dist-info"}
    for path in sorted(f"{site}/{place}" for place in places):
        if host.target(path) is None and host.path(path).is_dir():
            host.remove_tree(path)
        else:
            host.remove(path)
