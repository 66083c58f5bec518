"""What is started with another database deletes nothing from the server's object store, and is told whose it is."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from dcor_dev.machine import Machine
from test_withdrawal import exist
from users import publish_dataset

PRUNE = ("dcor-prune-orphaned-s3-artifacts", "--older-than-days", "-1")
LIVE, COPY = "/etc/ckan/default/ckan.ini", "/srv/copy-of-ckan.ini"
AS_CKAN = "setpriv --reuid www-data --regid www-data --init-groups"
PYTHON = f"{AS_CKAN} env CKAN_INI={{}} /var/lib/dcor-server/current/bin/python"
REFUSAL = "Nothing is deleted from the object store https://dcor.example.org, because it does not have the mark of the database"
WARNING = f"CKAN is started with another database than that of {LIVE}, and with the keys of the server's object store"
#: The name that clients know leads to circles only, so a mark is removed through the store's own socket.
REMOVE = """
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store.client import connect
store = endpoints.of(settings_file.load(Host())).object_store
connect(Host(), store).require("DELETE", "/{bucket}", "delete buckets")
"""
POSTGRES = "runuser -u postgres --"
#: Ways to make a database for a copy of ckan.ini.
DATABASES = {
    "initialised": f"ckan -c {COPY} db init",
    "restored": f"{POSTGRES} pg_dump --no-owner --no-privileges ckan_default | {AS_CKAN} psql --quiet --set=ON_ERROR_STOP=1 other >/dev/null",
}


@pytest.fixture(scope="module")
def objects(server: Machine) -> list[str]:
    """Return the paths of the objects of a dataset that everybody can read."""
    found = publish_dataset(server)
    assert exist(server, found) == len(found) == 6
    return found


def boto(server: Machine, statement: str) -> str:
    """Run a statement with the client of the live server's store, c, and return its output."""
    script = f"from dcor_shared import s3; c = s3.get_s3()[0]; {statement}"
    output = server.shell(f"{PYTHON.format(LIVE)} -c {shlex.quote(script)}")
    return output.strip().splitlines()[-1] if output.strip() else ""


def ends_with_refusal(server: Machine, command: str) -> None:
    """Assert that a command fails, and says why in one sentence and without a traceback."""
    done = server.run("bash", "-c", command, check=False, timeout=300)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1, output
    assert REFUSAL in output
    assert "a copy of a server needs a store of its own" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("way", ["initialised", pytest.param("restored", marks=pytest.mark.long)])
def test_a_copy_of_ckan_ini_with_another_database_deletes_nothing(
    server: Machine, objects: list[str], way: str
) -> None:
    dataset = objects[0].split("/")[1]
    server.shell(f"{POSTGRES} createdb --owner=www-data --encoding=utf-8 --template=template0 other")
    try:
        server.shell(f"sed '/^sqlalchemy.url/s,/ckan_default?,/other?,' {LIVE} >{COPY}")
        server.shell(f"chown root:www-data {COPY} && chmod 0640 {COPY} && ! cmp --silent {LIVE} {COPY}")
        server.shell(DATABASES[way], timeout=300)
        server.shell(f"{AS_CKAN} psql --quiet other --command 'TRUNCATE resource CASCADE'")
        told = server.run("ckan", "-c", COPY, *PRUNE, "--dry-run")
        assert (told.stdout + told.stderr).count(WARNING) == 1
        assert dataset in told.stdout
        ends_with_refusal(server, f"ckan -c {COPY} {shlex.join(PRUNE)}")
        for module in ("reconcile 0", "unknown_objects remove 0", "withdraw purged nothing"):
            ends_with_refusal(server, f"{PYTHON.format(COPY)} -m dcor_runtime.{module}")
    finally:
        server.shell(f"{POSTGRES} dropdb other; rm --force {COPY}")
    assert exist(server, objects) == len(objects)


def test_the_servers_own_command_deletes_what_its_database_does_not_know(server: Machine, objects: list[str]) -> None:
    bucket, unknown = objects[0].split("/")[1], f"resource/{'0' * 3}/{'1' * 3}/{'2' * 30}"
    boto(server, f"c.put_object(Bucket={bucket!r}, Key={unknown!r}, Body=b'x')")
    assert exist(server, [f"/{bucket}/{unknown}"]) == 1
    done = server.run("ckan", *PRUNE)
    assert f"Found object {bucket}:{unknown}" in done.stdout
    assert WARNING not in done.stdout + done.stderr
    assert exist(server, [f"/{bucket}/{unknown}"]) == 0
    assert exist(server, objects) == len(objects)


def marks(server: Machine) -> list[str]:
    """Return the buckets that are marks."""
    names: Any = json.loads(
        boto(server, "import json; print(json.dumps([b['Name'] for b in c.list_buckets()['Buckets']]))")
    )
    return [name for name in names if name.startswith("dcor-server-")]


@pytest.mark.long
def test_a_mark_that_is_lost_is_set_again(server: Machine) -> None:
    (mark,) = marks(server)
    server.shell(f"PYTHONPATH=/usr/share/dcor-server python3 -B -c {shlex.quote(REMOVE.format(bucket=mark))}")
    assert marks(server) == []
    ends_with_refusal(server, "dcor-server unknown-objects")
    assert "mark of the object store" in server.run("dcor-server", "check", check=False).stdout
    assert "1 changed" in server.run("dcor-server", "converge").stdout
    assert marks(server) == [mark]
    assert "0 changed" in server.run("dcor-server", "converge").stdout
