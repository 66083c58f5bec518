"""The certificate serves all names, is renewed with the same key, replaced by the admin's own, and ends for nobody.

All tests share a machine.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from availability import measure_availability
from certificates_and_mail import MAIL_SINK, MAKE_CERTIFICATES, MAKE_SELF_SIGNED
from dcor_dev import layers
from dcor_dev.machine import Machine
from import_mistakes import MAKE_MISTAKES, MISTAKES
from ocsp import MAKE_STAPLED, RESPONDER, SILENT, run_unit, staple
from trusting_clients import assert_clients_need
from website import wait_for_page

CERTIFICATE = "/etc/dcor-server/tls/certificate.pem"
SETTINGS = "/etc/dcor-server/dcor-server.conf"
IMPORTED = ("/etc/dcor-server/tls/imported.pem", "/etc/dcor-server/secrets/imported-key.pem")
OTHER_NAME, ADDRESS = "dcor.intranet", "127.0.0.5"
#: Runs dcor-server with the clock of certificates so many days ahead: machines share the clock of this computer.
AHEAD = """
import datetime, sys
sys.path.insert(0, "/usr/share/dcor-server")
from dcor_pkg.machine import clock
right, ahead = clock.now, datetime.timedelta(days=int(sys.argv.pop(1)))
clock.now = lambda: right() + ahead
from dcor_pkg import cli
sys.exit(cli.main(sys.argv[1:]))
"""
STAPLING = "/etc/dcor-server/tls/stapling.conf"
#: Prints the public key of a certificate.
PUBLIC_KEY = "openssl x509 -noout -pubkey -in"


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server."""
    with Machine("certificate", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        machine.write("/srv/ahead.py", AHEAD)
        yield machine


def dcor(machine: Machine, *arguments: str) -> str:
    """Run dcor-server, and return its output; fail when it fails."""
    return machine.run("dcor-server", *arguments).stdout


def ahead(machine: Machine, days: int, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run dcor-server so many days later."""
    return machine.run("/usr/bin/python3", "/srv/ahead.py", str(days), *arguments, check=check)


def show(machine: Machine) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(machine.run("dcor-server", "certificate", "show", "--json", check=False).stdout)
    return shown


def ask(machine: Machine, name: str, authorities: str = CERTIFICATE, *options: str) -> str:
    """Return the HTTP status of the page /trust under a name; 000 where no connection or no answer comes about."""
    asked = ("curl", "--silent", "--cacert", authorities, "--output", "/dev/null", "--write-out", "%{http_code}")
    return machine.run(*asked, *options, f"https://{name}/trust", check=False).stdout


def import_files(machine: Machine, certificate: str, key: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = shlex.join(("dcor-server", "certificate", "import", *options, certificate, key))
    return machine.run("bash", "-c", f"cd /srv/tls && {command}", check=False)


def assert_says_what_is_served(machine: Machine, output: str) -> None:
    """Assert that a command's output is one JSON document, of what it has changed and what is served since."""
    said = json.loads(output)
    assert said["certificate"] == show(machine)
    assert "trust bundle" in [step["step"] for step in said["steps"] if step["result"] == "changed"]
    assert (said["converge"]["worked"], said["converge"]["reason"]) == (True, "")


def test_the_certificate_is_shown(machine: Machine) -> None:
    shown = show(machine)
    assert (shown["kind"], shown["names"], shown["chain_complete"]) == ("self-signed", ["dcor.example.org"], True)
    fingerprint = machine.shell(f"openssl x509 -noout -fingerprint -sha256 -in {CERTIFICATE}").strip().partition("=")[2]
    assert shown["sha256"] == fingerprint
    assert fingerprint in dcor(machine, "certificate", "show")


def test_further_names_and_addresses_are_served(machine: Machine) -> None:
    machine.shell(f"echo '127.0.0.1 {OTHER_NAME}' >>/etc/hosts")
    assert [ask(machine, name) for name in ("dcor.example.org", OTHER_NAME, ADDRESS)] == ["200", "000", "000"]
    key = machine.shell(f"{PUBLIC_KEY} {CERTIFICATE}")
    dcor(machine, "set", f"certificate-names={OTHER_NAME} {ADDRESS}")
    assert [ask(machine, name) for name in ("dcor.example.org", OTHER_NAME, ADDRESS)] == ["200"] * 3
    assert machine.shell(f"{PUBLIC_KEY} {CERTIFICATE}") == key
    # The certificate is not for this address, and the site does not answer under it either.
    assert ask(machine, "127.0.0.6") == ask(machine, "127.0.0.6", CERTIFICATE, "--insecure") == "000"
    assert "0 changed" in dcor(machine, "converge")


def test_a_renewal_keeps_the_key_unless_another_is_wanted(machine: Machine) -> None:
    before, key = show(machine)["sha256"], machine.shell(f"{PUBLIC_KEY} {CERTIFICATE}")
    availability = measure_availability(machine, "dcor-server certificate renew >/srv/told")
    assert availability.failed == ()
    told = machine.path("/srv/told").read_text()
    renewed = show(machine)["sha256"]
    assert (renewed != before, renewed in told) == (True, True)
    assert machine.shell(f"{PUBLIC_KEY} {CERTIFICATE}") == key
    assert ask(machine, ADDRESS) == "200"
    assert_says_what_is_served(machine, dcor(machine, "certificate", "renew", "--json", "--new-key"))
    assert show(machine)["sha256"] != renewed
    assert machine.shell(f"{PUBLIC_KEY} {CERTIFICATE}") != key
    assert ask(machine, ADDRESS) == "200"


@pytest.mark.long
def test_the_administrator_hears_of_the_end_and_of_the_new_fingerprint(machine: Machine) -> None:
    machine.write("/srv/sink.py", MAIL_SINK)
    machine.shell("systemd-run --quiet --unit=mail-sink python3 /srv/sink.py")
    machine.shell(
        "until ss --no-header --listening --tcp --numeric | grep --quiet ':2525 '; do sleep 0.1; done", timeout=60
    )
    dcor(machine, "set", "mail-relay=localhost:2525")
    key = machine.shell(f"{PUBLIC_KEY} {CERTIFICATE}")
    assert f"{CERTIFICATE} ends in" not in ahead(machine, 3580, "status", check=False).stdout
    assert f"{CERTIFICATE} ends in 58 days" in ahead(machine, 3591, "status", check=False).stdout
    assert f"{CERTIFICATE} has expired on" in ahead(machine, 3651, "status", check=False).stdout
    for _ in range(2):
        ahead(machine, 3591, "nightly")
    mails = machine.path("/srv/mails").read_text()
    assert mails.count("Subject: [dcor.example.org] the certificate ends in 58 days") == 1
    before = show(machine)["sha256"]
    ahead(machine, 3591, "converge")
    assert show(machine)["sha256"] == before
    ahead(machine, 3621, "converge")
    new = show(machine)["sha256"]
    assert new != before
    assert machine.shell(f"{PUBLIC_KEY} {CERTIFICATE}") == key
    ahead(machine, 3621, "nightly")
    mails = machine.path("/srv/mails").read_text().replace("=\n", "").replace("=\r\n", "")
    assert "the certificate has been made anew" in mails
    assert new in mails
    assert ask(machine, ADDRESS) == "200"
    dcor(machine, "set", "mail-relay=")
    machine.run("systemctl", "stop", "mail-sink")


def test_what_cannot_be_served_is_not_imported(machine: Machine) -> None:
    machine.shell(MAKE_CERTIFICATES)
    machine.shell(MAKE_MISTAKES)
    before = machine.path(SETTINGS).read_text()
    untrusted = import_files(machine, "chain.pem", "leaf-key.pem")
    assert (untrusted.returncode, "the certificate of CN=root.example.org is missing" in untrusted.stderr) == (1, True)
    machine.shell("cp /srv/tls/root.pem /usr/local/share/ca-certificates/clinic.crt && update-ca-certificates 2>&1")
    for certificate, key, words in MISTAKES:
        done = import_files(machine, certificate, key, "--json")
        assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (1, "", False), done.stderr
        assert words in done.stderr
    late = ahead(machine, 250, "certificate", "import", "/srv/tls/chain.pem", "/srv/tls/leaf-key.pem", check=False)
    assert (late.returncode, "expired on" in late.stderr) == (1, True)
    assert machine.path(SETTINGS).read_text() == before
    assert not any(machine.path(path).exists() for path in IMPORTED)
    assert ask(machine, "dcor.example.org") == "200"


def test_an_own_certificate_is_imported_for_root_and_served_without_its_files(machine: Machine) -> None:
    dcor(machine, "set", "certificate-names=")
    done = import_files(machine, "chain.pem", "leaf-key.pem", "--json")
    assert done.returncode == 0, done.stderr
    assert_says_what_is_served(machine, done.stdout)
    assert machine.shell(f"stat --format '%U %a' {IMPORTED[1]}") == "root 600\n"
    machine.shell("mkdir /srv/away && mv /srv/tls/chain.pem /srv/tls/leaf-key.pem /srv/away")
    assert "0 changed" in dcor(machine, "converge")
    shown = show(machine)
    assert (shown["kind"], shown["issuer"], shown["chain_complete"]) == ("own", "CN=middle.example.org", True)
    assert all(insists(machine))
    assert ask(machine, "dcor.example.org", "/srv/tls/root.pem") == "200"


def test_dclab_and_dcor_aid_work_once_they_trust_the_authority_of_an_own_certificate(machine: Machine) -> None:
    assert_clients_need(machine, "/srv/tls/root.pem")


def test_no_key_is_made_for_an_own_certificate_and_the_way_back_is_open(machine: Machine) -> None:
    refused = machine.run("dcor-server", "certificate", "renew", "--new-key", check=False)
    assert (refused.returncode, "makes no key" in refused.stderr) == (1, True)
    dcor(machine, "set", "certificate=self-signed")
    assert ask(machine, "dcor.example.org") == "200"
    assert not any(insists(machine))


def insists(machine: Machine) -> list[bool]:
    """Return whether pages, CKAN's and nginx's own, tell browsers to accept nothing but a trusted certificate."""
    asked = "curl --silent --insecure --output /dev/null --dump-header - https://dcor.example.org"
    return ["strict-transport-security: max-age=" in machine.shell(f"{asked}/{page}") for page in ("about", "trust")]


def test_a_self_signed_certificate_of_the_administrator_locks_nobody_out(machine: Machine) -> None:
    machine.shell(MAKE_SELF_SIGNED)
    done = import_files(machine, "/srv/own/leaf.pem", "/srv/own/key.pem")
    assert done.returncode == 0, done.stderr
    assert ask(machine, "dcor.example.org", "/srv/own/leaf.pem") == "200"
    assert not any(insists(machine))


def test_a_chain_that_lacks_a_certificate_is_named(machine: Machine) -> None:
    """This machine knows the authority in between, and clients may not."""
    machine.shell("cp /srv/tls/middle.pem /usr/local/share/ca-certificates/middle.crt && update-ca-certificates 2>&1")
    done = import_files(machine, "leaf.pem", "/srv/away/leaf-key.pem")
    assert done.returncode == 0, done.stderr
    assert "the certificate of CN=middle.example.org is missing" in dcor(machine, "status")
    shown = show(machine)
    assert (shown["chain_complete"], shown["missing_issuer"]) == (False, "CN=middle.example.org")
    machine.shell("rm /usr/local/share/ca-certificates/middle.crt && update-ca-certificates 2>&1")
    dcor(machine, "set", "certificate=self-signed")


def assert_quick(machine: Machine) -> None:
    """Assert that no request waits for the responder, also those that are the first after a reload."""
    machine.run("systemctl", "reload", "nginx")
    asked = [ask(machine, "dcor.example.org", "/srv/tls/root.pem", "--max-time", "3") for _ in range(10)]
    assert (asked, staple(machine)) == (["200"] * 10, "")


@pytest.mark.long
def test_proof_that_the_certificate_is_not_revoked_is_stapled_and_nothing_waits_for_it(machine: Machine) -> None:
    assert not machine.path(STAPLING).exists()
    machine.shell(MAKE_STAPLED)
    # Nobody knows the responder's name.
    done = import_files(machine, "/srv/ocsp/chain.pem", "/srv/away/leaf-key.pem")
    assert done.returncode == 0, done.stderr
    assert machine.path(STAPLING).exists()
    assert_quick(machine)
    # DNS is silent, while nginx starts.
    machine.write("/srv/silent.py", SILENT)
    run_unit(machine, "silent", "python3 /srv/silent.py")
    machine.shell("cp --no-dereference /etc/resolv.conf /srv/ && echo nameserver 127.0.0.53 >/etc/resolv.conf")
    machine.run("systemctl", "restart", "nginx")
    assert_quick(machine)
    # The responder is silent, and then it is down.
    machine.shell("rm /etc/resolv.conf; cp --no-dereference /srv/resolv.conf /etc/")
    machine.shell("echo '127.0.0.1 ocsp.example.org' >>/etc/hosts")
    assert_quick(machine)
    machine.run("systemctl", "stop", "silent")
    machine.run("systemctl", "restart", "nginx")
    assert_quick(machine)
    # By night nginx looks for it again, and the answer is good.
    run_unit(machine, "responder", RESPONDER)
    machine.run("systemctl", "start", "dcor-nightly")
    machine.shell(
        "until openssl s_client -connect 127.0.0.1:443 -servername dcor.example.org -status </dev/null 2>&1 "
        "| grep --quiet 'Cert Status: good'; do sleep 0.2; done",
        timeout=60,
    )
    dcor(machine, "set", "certificate=self-signed")
    assert (staple(machine), machine.path(STAPLING).exists()) == ("", False)
    assert "warn" not in machine.run("nginx", "-t").stderr
    machine.run("systemctl", "stop", "responder")
