"""An access token of `dcor-server token` sets up users' programs, and opens nothing once it is expired or revoked.

All tests share a machine.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from trusting_clients import PASSWORD, listed
from users import CONFIGURATION, INSIDE, PYTHON_OF_CKAN, make_user, run_client
from website import CURL, SITE, wait_for_page

STATE = "/var/lib/dcor-server/access-tokens.json"
CERTIFICATE = "/etc/dcor-server/tls/certificate.pem"
DAY = 86400


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server."""
    with Machine("tokens", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine


@pytest.fixture(scope="module")
def user(machine: Machine) -> str:
    return make_user(machine, "alice").name


@pytest.fixture(scope="module")
def uploaded(machine: Machine, user: str) -> dict[str, Any]:
    """Make an access token on a terminal, upload by it, and return the ids and the path of the file."""
    typed = f"cd /root && dcor-server token create {user}"
    screen = machine.shell(f"script --quiet --return --command {shlex.quote(typed)} /dev/null </dev/null")
    password = re.findall(r"password is shown only now: (\S+)", screen)
    assert len(password) == 1, screen
    machine.write(PASSWORD, password[0], 0o600)
    file = f"/root/{user}.dcor-access"
    return {"file": file, **opened(machine, file)}


def opened(machine: Machine, file: str, *arguments: str) -> dict[str, Any]:
    """Set up users' programs by a file, and use them."""
    return run_client(machine, "open_access_token", "--file", file, "--password", PASSWORD, *arguments)


def status_of(machine: Machine, api_token: str, dataset: str) -> int:
    """Return how the server answers a request for a private dataset with an API token."""
    machine.write(f"{INSIDE}/api-token", api_token, 0o600)
    header = f'--header "Authorization: $(cat {INSIDE}/api-token)"'
    asked = f"{CURL} --output /dev/null --write-out '%{{http_code}}' {header}"
    return int(machine.shell(f"{asked} '{SITE}/api/3/action/package_show?id={dataset}'"))


def api_token(machine: Machine, file: str) -> str:
    """Return the API token in a file."""
    program = (
        "import sys, zipfile; "
        "print(zipfile.ZipFile(sys.argv[1]).read('api_key.txt', open(sys.argv[2], 'rb').read()).decode().strip())"
    )
    return machine.run("python3", "-c", program, file, PASSWORD).stdout.strip()


def test_dclab_and_dcor_aid_are_set_up_by_it_and_upload_and_read(
    machine: Machine, user: str, uploaded: dict[str, Any]
) -> None:
    assert uploaded["user"] == user
    assert machine.shell(f"stat --format '%U %a' {uploaded['file']} {STATE}") == "root 600\nroot 600\n"
    (row,) = listed(machine)
    assert (row["user"], row["expired"], row["used"] is not None) == (user, False, True)
    assert abs(row["expires"] - time.time() - 365 * DAY) < DAY
    shown = machine.shell(f"openssl x509 -noout -fingerprint -sha256 -in {CERTIFICATE}").strip().partition("=")[2]
    assert row["fingerprint"] == shown


def test_neither_password_nor_token_is_in_a_log(machine: Machine, uploaded: dict[str, Any]) -> None:
    secrets = machine.run("cat", PASSWORD).stdout, api_token(machine, uploaded["file"])
    for secret in secrets:
        machine.write("/root/secret", secret, 0o600)
        found = machine.shell(
            "journalctl --sync; { grep -rlF --file=/root/secret /var/log /var/lib/dcor-server/*.json; "
            "journalctl --no-pager | grep -F --file=/root/secret; } || test $? = 1"
        )
        assert found == ""
    machine.shell("rm /root/secret")


def test_an_expired_api_token_opens_nothing(machine: Machine, user: str, uploaded: dict[str, Any]) -> None:
    def ask(**request: Any) -> Any:
        module = (PYTHON_OF_CKAN, "-m", "dcor_runtime.access_tokens", json.dumps(request))
        answer = machine.run(*module, user="www-data", env=CONFIGURATION).stdout
        return json.loads(answer.strip().splitlines()[-1])

    now = int(time.time())
    statuses = []
    for name, end in (("test-valid", now + DAY), ("test-expired", now - 1)):
        token = ask(do="create", name=user, identity=name, end=end)["token"]
        statuses.append(status_of(machine, token, uploaded["dataset"]))
    assert statuses == [200, 403]
    assert ask(do="revoke", identities=["test-valid", "test-expired"]) == ["test-valid", "test-expired"]


def test_bad_input_is_a_sentence_and_changes_nothing(machine: Machine, user: str, uploaded: dict[str, Any]) -> None:
    count = "runuser -u postgres -- psql -At -c 'SELECT count(*) FROM api_token' ckan_default"
    before = machine.shell(f"cat {STATE}; sha256sum {uploaded['file']}; {count}")
    machine.shell("mkdir -p /small /root/tokens && mount -t tmpfs -o size=64k tmpfs /small")
    machine.shell("ln -sfn /etc/passwd /root/link.dcor-access && sha256sum /etc/passwd >/root/passwd.sum")
    cases = {
        ("nobody-here",): "There is no user nobody-here.",
        (user, "--output", uploaded["file"]): "exists, and is not overwritten.",
        (user, "--output", "/root/link.dcor-access"): "exists, and is not overwritten.",
        (user, "--output", "/root/tokens"): "/root/tokens is a directory.",
        (user, "--output", "/nowhere/x"): "/nowhere/x cannot be made: No such file or directory",
        (user, "--output", "/small/x"): "1 MiB are needed.",
        (user, "--days", "0"): "0 is not a number of days from 1 to 36500",
    }
    for arguments, said in cases.items():
        done = machine.run("dcor-server", "token", "create", "--show-password", *arguments, check=False)
        assert (done.returncode, done.stdout) == (2 if "--days" in arguments else 1, ""), arguments
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    done = machine.run("dcor-server", "token", "create", user, "--output", "/root/unseen", check=False)
    assert (done.returncode, "--show-password" in done.stderr) == (1, True)
    machine.shell("sha256sum --check --quiet /root/passwd.sum && umount /small && rm /root/link.dcor-access")
    assert machine.shell(f"cat {STATE}; sha256sum {uploaded['file']}; {count}") == before
    assert (
        machine.shell(
            "find /small /root/tokens /root -maxdepth 1 -path '/small/*' -o -path '/root/tokens/*' -o -name unseen"
        )
        == ""
    )


@pytest.mark.long
def test_after_another_certificate_a_new_file_works_and_the_old_token_is_revoked(
    machine: Machine, user: str, uploaded: dict[str, Any]
) -> None:
    old = api_token(machine, uploaded["file"])
    assert status_of(machine, old, uploaded["dataset"]) == 200
    assert listed(machine, "--outdated") == []
    machine.shell(f"rm {CERTIFICATE} && dcor-server converge")
    assert [it["user"] for it in listed(machine, "--outdated")] == [user]
    assert "lists an access token with another certificate or host name" in machine.run("dcor-server", "status").stdout
    made = json.loads(
        machine.run(
            *("dcor-server", "token", "reissue", "--json", "--show-password", "--output", "/root/tokens", user)
        ).stdout
    )
    assert status_of(machine, old, uploaded["dataset"]) == 403
    assert listed(machine, "--outdated") == []
    machine.write(PASSWORD, made["password"], 0o600)
    seen = opened(machine, made["file"], "--read", uploaded["dataset"], uploaded["resource"])
    assert seen["user"] == user
    new = api_token(machine, made["file"])
    assert status_of(machine, new, uploaded["dataset"]) == 200
    machine.run("dcor-server", "token", "revoke", made["id"])
    assert status_of(machine, new, uploaded["dataset"]) == 403
    assert listed(machine) == []
