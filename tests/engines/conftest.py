"""A machine with the two engines and no other package of ours, which all tests share and restore."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from engines import S3, S3_CREDENTIALS, converge

HERE = Path(__file__).parent
ENGINES = ("dcor-object-store", "dcor-solr")

#: The packages that dcor_pkg needs; dcor-server depends on them, so the layer has them.
PYTHON = ("python3", "python3-cryptography", "python3-jinja2", "python3-psutil")

#: Extracts CKAN's schema from python-ckan, without an installation of the package.
SCHEMA = "dpkg-deb --fsys-tarfile {deb} | tar -C / -x --wildcards '*/site-packages/ckan/config/solr/schema.xml'"


@pytest.fixture(scope="session")
def server(suite: str, debs: list[Path]) -> Iterator[Machine]:
    """Return the machine, with a configuration file for curl that has the credentials of S3."""
    mounts = layers.package_mounts(debs)
    packages = {deb.name.partition("_")[0]: place for deb, place in mounts.items()}
    with Machine("engines", layers.debian_packages(suite, debs), read_only=mounts) as machine:
        machine.run(*layers.INSTALL, *(packages[name] for name in ENGINES), *PYTHON, env=layers.NONINTERACTIVE)
        machine.shell(SCHEMA.format(deb=packages["python-ckan"]))
        machine.copy_in(layers.TREE / "dcor_pkg", "/usr/share/dcor-server/dcor_pkg")
        machine.copy_in(HERE / "inside/converge.py", "/usr/share/dcor-server/converge.py")
        converge(machine)
        secret = {
            part: machine.run("cat", f"/etc/dcor-server/secrets/object-store-{part}") for part in ("key", "secret")
        }
        user = ":".join(secret[part].stdout.strip() for part in ("key", "secret"))
        machine.write(S3_CREDENTIALS, f'unix-socket = "{S3}"\naws-sigv4 = "aws:amz:dcor:s3"\nuser = "{user}"\n')
        yield machine
