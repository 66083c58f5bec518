"""Refuse, with a reason, before the first change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import OWN, InvalidAnswer, Settings
from dcor_pkg.ckan import named_files, release
from dcor_pkg.ckan.ckan_ini import ckan_ini
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.data_directory import INSTANCE, marker, missing_data
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoint as services
from dcor_pkg.services import external
from dcor_pkg.services.postgresql import cluster as postgresql_cluster
from dcor_pkg.services.postgresql import local as postgresql
from dcor_pkg.tls import own_certificate

#: ports, and the program that we expect there
PORTS = {80: "nginx", 443: "nginx"}
SOLR_PORTS = {8983: "java"}
#: bytes that have to be free where data are to lie
DATA_FREE = disk.GIB


def check(host: Host, settings: Settings) -> None:
    """Raise DcorError for the first thing that makes it useless to begin."""
    _check_machine(host, settings)
    external.probe(host, settings, settings, external.passwords(host))


def _check_machine(host: Host, settings: Settings) -> None:
    _plain_directory(host, "data-directory", settings.data)
    if not release.ids(host):
        release.require_space(host)
    used = services.of(settings)
    _ports({**PORTS, **SOLR_PORTS} if used.solr.local else PORTS)
    if used.database.local and not postgresql.is_ready(host) and not postgresql_cluster.is_stopped_by_us(host):
        raise DcorError(
            "PostgreSQL does not take connections on 127.0.0.1.",
            hint="pg_lsclusters shows its state; systemctl start postgresql starts it.",
        )
    ckan_ini(settings).validate(host)


def check_change(host: Host, before: Settings | None, wanted: Settings, passwords: Mapping[str, Secret]) -> None:
    """Try new settings on the machine. Raises DcorError, mostly InvalidAnswer, for the first that cannot be.

    `passwords` are those of services elsewhere, by their question; `before` is None at the first time.
    """
    named_files.check(host, wanted)
    _check_machine(host, wanted)
    if host.read(INSTANCE) is None:
        _first_data(host, wanted.data)
    elif before is not None and before.data != wanted.data:
        _other_data(host, before.data, wanted.data)
    if wanted.certificate == OWN:
        own_certificate.validate(host, own_certificate.source(wanted), wanted.hostname)
    external.probe(host, before, wanted, passwords)


def _plain_directory(host: Host, key: str, path: str) -> None:
    for place in [Path(path), *Path(path).parents]:
        if host.exists(str(place)) and not host.path(str(place)).is_dir():
            raise InvalidAnswer(f"dcor-server/{key}", path, f"{place} is no directory", "Choose another place.")


def _first_data(host: Host, path: str) -> None:
    """A directory that is new, empty, ours already, or at least without data of something else's."""
    if host.exists(f"{path}/object-store") and not host.exists(marker(path)):
        raise InvalidAnswer(
            "dcor-server/data-directory",
            path,
            f"{path}/object-store is there, and nothing tells whose it is ({marker(path)} is missing)",
            "Choose an empty directory, or bring the marker back with the data.",
        )
    disk.require(host, path, DATA_FREE)


def _other_data(host: Host, before: str, path: str) -> None:
    """Another directory has to hold this server's data already: an empty server that looks healthy helps nobody."""
    reason = missing_data(host, path)
    if reason is not None:
        raise InvalidAnswer(
            "dcor-server/data-directory",
            path,
            f"the data of this server are in {before}, and not there",
            f"dcor-server move-data {path} moves them, and then changes this setting.",
        )


def _ports(ports: Mapping[int, str]) -> None:
    for connection in psutil.net_connections("tcp"):
        port = connection.laddr.port if connection.laddr else 0
        if connection.status != psutil.CONN_LISTEN or port not in ports:
            continue
        program = _program(connection.pid)
        if program not in (ports[port], None):
            raise DcorError(
                f"Port {port} is held by {program} (process {connection.pid}).",
                hint="Stop that program, or move it to another port.",
            )


def _program(process: int | None) -> str | None:
    """Return the name of a process; None when it cannot be told, or has just ended."""
    try:
        return None if process is None else str(psutil.Process(process).name())
    except psutil.NoSuchProcess:
        return None
