"""A real authority issues the certificate by ACME, over port 80 and over the DNS; until then it is self-signed.

All tests share a machine, and build on the ones before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import authority
import pytest
from authority import DIRECTORY, HOOK, ROOTS
from availability import measure_availability
from dcor_dev import layers
from dcor_dev.machine import Machine
from trusting_clients import assert_clients_need, listed
from website import CURL, SITE, wait_for_page

CLIENTS = Path(__file__).with_name("clients.txt")
SETTINGS = "/etc/dcor-server/dcor-server.conf"
STATE = "/var/lib/dcor-server/acme.json"
SELF_SIGNED = "/etc/dcor-server/tls/certificate.pem"
ISSUED = "/etc/dcor-server/tls/acme.pem"
CERTBOT_LOG = "/var/log/dcor-server/acme/letsencrypt.log"
CHALLENGES = "/var/lib/dcor-server/nginx/acme/.well-known/acme-challenge"
#: prints who has issued the certificate that nginx serves
ISSUER = (
    "openssl s_client -connect 127.0.0.1:443 -servername dcor.example.org </dev/null 2>&1 | openssl x509 -noout -issuer"
)
PUBLIC_KEY = "openssl x509 -noout -pubkey -in"
#: a request by a program of CKAN, which trusts what certifi's file holds
BY_CKAN = (
    "$(readlink --canonicalize /var/lib/dcor-server/current)/bin/python -c "
    "'import requests; print(requests.get(\"https://dcor.example.org/trust\").status_code)'"
)
#: what the setting is, and what the message says
MISTAKES = {
    "acme-directory=http://acme.example.org/dir": "is not an address https://",
    "acme-directory=https://nowhere.example.org/dir": "cannot be reached",
    "acme-directory=https://dcor.example.org/dir": "cannot be reached",
    "acme-authority=/srv/none.pem": "does not exist",
    "acme-authority=/etc/hostname": "does not contain a certificate in PEM",
    "acme-challenge=dns-01": f"requires {HOOK}, which does not exist",
    "hostname=192.0.2.1": "is an IP address",
    "certificate-names=192.0.2.1": "contains an IP address",
}


@pytest.fixture(scope="module")
def machine(suite: str, debs: list[Path], package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server, with an authority that does not run yet."""
    stack = (*layers.with_authority(suite, debs), layers.clients(suite, CLIENTS))
    with Machine("acme", stack, read_only=package_mounts) as machine:
        wait_for_page(machine)
        authority.prepare(machine)
        yield machine


def show(machine: Machine) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(machine.run("dcor-server", "certificate", "show", "--json", check=False).stdout)
    return shown


def edit(machine: Machine, values: dict[str, str]) -> None:
    """Change the settings file by hand, as an administrator may."""
    lines = machine.path(SETTINGS).read_text().splitlines()
    left = [line for line in lines if line.lstrip("# ").partition("=")[0].strip() not in values]
    place = left.index("[dcor-server]") + 1
    left[place:place] = [f"{key} = {value}" for key, value in values.items()]
    machine.write(SETTINGS, "\n".join(left) + "\n", 0o640)


def test_what_no_authority_could_work_with_is_refused_and_changes_nothing(machine: Machine) -> None:
    before = machine.path(SETTINGS).read_text()
    for mistake, words in MISTAKES.items():
        done = machine.run("dcor-server", "set", "certificate=acme", mistake, check=False)
        assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (1, True, False), done.stderr
    assert machine.path(SETTINGS).read_text() == before
    assert "0 changed" in machine.run("dcor-server", "converge").stdout


def test_while_the_authority_is_down_the_server_is_self_signed_and_says_so(machine: Machine) -> None:
    edit(machine, {"certificate": "acme", "acme-directory": DIRECTORY, "acme-authority": ROOTS})
    told = machine.run("dcor-server", "converge").stdout
    assert f"is self-signed: {DIRECTORY} has issued no certificate" in told, told
    status = machine.run("dcor-server", "status", check=False)
    assert (status.returncode, "is self-signed" in status.stdout) == (3, True)
    assert machine.path(ISSUED).read_text() == machine.path(SELF_SIGNED).read_text()
    assert machine.shell(BY_CKAN).strip() == "200"
    assert "strict-transport" not in machine.shell(f"{CURL} --head {SITE}/trust").lower()


def test_a_challenge_is_answered_in_maintenance_as_well(machine: Machine) -> None:
    ask = "curl --silent --output /dev/null --write-out %{http_code} http://dcor.example.org"
    machine.shell(
        f"mkdir -p {CHALLENGES} && echo token >{CHALLENGES}/probe && touch /var/lib/dcor-server/nginx/maintenance"
    )
    assert machine.shell(f"{ask}/.well-known/acme-challenge/probe") == "200"
    assert machine.shell(f"{ask}/.well-known/acme-challenge/other") == "404"
    assert machine.shell(f"{ask}/dataset/") == "301"
    machine.shell(f"rm {CHALLENGES}/probe /var/lib/dcor-server/nginx/maintenance")


def test_the_timer_asks_again_and_the_first_certificate_comes_into_use_at_once(machine: Machine) -> None:
    authority.start(machine)
    machine.run("systemctl", "start", "dcor-retry.service")
    assert "Pebble" not in machine.shell(ISSUER), "it waits for an hour"
    machine.shell(f'sed --in-place \'s/"next": [0-9.]*/"next": 1.0/\' {STATE}')
    machine.run("systemctl", "start", "dcor-retry.service")
    assert "Pebble Intermediate CA" in machine.shell(ISSUER), machine.shell(f"cat {STATE}")
    shown = show(machine)
    assert (shown["kind"], shown["names"], shown["problem"]) == ("acme", ["dcor.example.org"], None)
    assert (shown["subject"], shown["chain_complete"]) == ("CN=dcor.example.org", True)
    assert machine.shell(f"{PUBLIC_KEY} {ISSUED}") == machine.shell(f"{PUBLIC_KEY} {SELF_SIGNED}")
    status = machine.run("dcor-server", "status", check=False)
    # Whatever else it says: on a busy machine a part may be slow.
    assert "acme, until" in status.stdout, status.stdout
    assert "0 changed" in machine.run("dcor-server", "converge").stdout


def test_programs_and_users_trust_it(machine: Machine) -> None:
    assert machine.shell(BY_CKAN).strip() == "200"
    ask = f"curl --silent --head --cacert {ROOTS} https://dcor.example.org/trust"
    assert "strict-transport-security" in machine.shell(ask).lower()
    # The page says what users have to trust: the root of the authority.
    fingerprint = (
        machine.shell("openssl x509 -noout -fingerprint -sha256 -in /srv/acme/issuer.pem").strip().partition("=")[2]
    )
    assert fingerprint in machine.run("dcor-server", "status", check=False).stdout


def test_dclab_and_dcor_aid_work_once_they_trust_the_authority(machine: Machine) -> None:
    assert_clients_need(machine, "/srv/acme/issuer.pem")


def test_a_renewal_is_noticed_by_no_request_and_keeps_the_key(machine: Machine) -> None:
    before, key = show(machine)["sha256"], machine.shell(f"{PUBLIC_KEY} {ISSUED}")
    machine.run("dcor-server", "user", "create", "keeper", "--email", "keeper@example.org")
    availability = measure_availability(machine, "dcor-server certificate renew")
    assert availability.failed == ()
    assert availability.requests > 10
    assert show(machine)["sha256"] != before
    assert machine.shell(f"{PUBLIC_KEY} {ISSUED}") == key
    assert machine.shell(BY_CKAN).strip() == "200"
    # Access tokens hold the root of the authority, which is the same.
    assert listed(machine, "--outdated") == []
    assert "0 changed" in machine.run("dcor-server", "converge").stdout


def test_records_in_the_dns_are_made_and_removed_by_the_example(machine: Machine) -> None:
    machine.shell(authority.INSTALL_HOOK)
    settings = machine.path(SETTINGS).read_text()
    machine.shell("tsig-keygen dcor >/etc/dcor-server/acme/tsig.key")
    refused = machine.run("dcor-server", "set", "acme-challenge=dns-01", check=False)
    assert (refused.returncode, HOOK in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)
    assert machine.path(SETTINGS).read_text() == settings
    machine.shell("cp /etc/bind/dcor.key /etc/dcor-server/acme/tsig.key")
    machine.run("dcor-server", "set", "acme-challenge=dns-01")
    before = show(machine)["sha256"]
    machine.run("dcor-server", "certificate", "renew")
    assert show(machine)["sha256"] != before
    assert "Pebble Intermediate CA" in machine.shell(ISSUER)
    machine.shell(f"grep --quiet 'dns-01 challenge for dcor.example.org' {CERTBOT_LOG}")
    assert machine.shell("dig +short TXT _acme-challenge.dcor.example.org @127.0.0.1") == ""


def test_a_refusal_ends_with_1_and_leaves_the_certificate(machine: Machine) -> None:
    machine.run("systemctl", "stop", "pebble")
    before = show(machine)["sha256"]
    refused = machine.run("dcor-server", "certificate", "renew", "--json", check=False)
    assert (refused.returncode, "has issued no certificate" in refused.stderr) == (1, True), refused.stderr
    assert json.loads(refused.stdout)["certificate"]["sha256"] == show(machine)["sha256"] == before
    assert "was not renewed" in machine.run("dcor-server", "converge").stdout


def test_a_way_back_and_forth_loses_nothing(machine: Machine) -> None:
    before = show(machine)["sha256"]
    self_signed = machine.path(SELF_SIGNED).read_text()
    machine.run("dcor-server", "set", "certificate=self-signed")
    assert "Pebble" not in machine.shell(ISSUER)
    assert machine.path(SELF_SIGNED).read_text() == self_signed
    edit(machine, {"certificate": "acme"})
    machine.run("dcor-server", "converge")
    assert show(machine)["sha256"] == before
