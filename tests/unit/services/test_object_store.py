"""The object store: its token, its credentials, its place."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.pending import RELOAD_NGINX, is_pending
from dcor_pkg.kernel.runner import Outcome, Result, run
from dcor_pkg.machine.host import Host
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.object_store.local import FilerToken

UNPADDED = "=="

SETTINGS = settings.parse({"hostname": "dcor.example.org"})


@pytest.fixture
def machine(host: Host) -> Host:
    """Return a machine with all the store's steps done."""
    run(object_store.steps(SETTINGS), host)
    return host


def test_the_token_is_signed_never_expires_and_only_reads() -> None:
    head, claims, signature = object_store.read_token(Secret("key")).split(".")
    expected = hmac.new(b"key", f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + UNPADDED) == expected
    assert json.loads(base64.urlsafe_b64decode(head + UNPADDED)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(claims + UNPADDED)) == {
        "allowed_prefixes": ["/buckets"],
        "allowed_methods": ["GET", "HEAD"],
    }


def test_a_token_needs_no_quoting_in_nginx() -> None:
    assert set(object_store.read_token(Secret("key"))) <= set(string.ascii_letters + string.digits + "-_.")


def test_the_second_run_changes_nothing(machine: Host) -> None:
    assert {outcome.result for outcome in run(object_store.steps(SETTINGS), machine)} == {Result.UNCHANGED}


def test_the_credentials_are_those_that_ckan_has(machine: Host) -> None:
    (ckan,) = json.loads(machine.read("/etc/dcor-object-store/s3.json") or "")["identities"]
    assert ckan["credentials"] == [
        {
            "accessKey": secrets.read(machine, "object-store-key").reveal(),
            "secretKey": secrets.read(machine, "object-store-secret").reveal(),
        }
    ]


def test_a_new_key_gives_a_new_token_and_a_restart(machine: Host) -> None:
    before = machine.read(object_store.TOKEN)
    machine.remove(secrets.path(object_store.FILER_READ_KEY))
    machine.remove("/var/lib/dcor-server/pending/" + object_store.RESTART)
    run(object_store.steps(SETTINGS), machine)
    assert machine.read(object_store.TOKEN) != before
    assert is_pending(machine, object_store.RESTART)
    assert is_pending(machine, RELOAD_NGINX)


def test_a_damaged_token_is_healed(machine: Host) -> None:
    machine.path(object_store.TOKEN).chmod(0o644)
    (outcome,) = run([FilerToken()], machine)
    assert outcome == Outcome("filer token of nginx", Result.CHANGED, "is root:root 0644, not root:root 0600")


def test_the_store_waits_for_the_disk(machine: Host) -> None:
    unit = machine.read("/etc/systemd/system/dcor-object-store.service.d/dcor-server.conf") or ""
    assert "\nAssertPathExists=/data/.dcor-server\n" in unit
    assert "\nRequiresMountsFor=/data/object-store\n" in unit
    assert "\nEnvironment=STORE_DIR=/data/object-store\n" in unit


def test_every_change_of_its_configuration_starts_it_again() -> None:
    files = [step for step in object_store.steps(SETTINGS) if isinstance(step, ManagedFile)]
    assert {file.then for file in files} == {(object_store.RESTART,)}
