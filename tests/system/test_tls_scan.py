"""A scanner of TLS finds what Mozilla's profile "intermediate", version 6.0, has, and nothing else.

The profile is https://ssl-config.mozilla.org/guidelines/6.0.json. The scanner is testssl.sh of Debian. What it
dislikes is in a table here, with the reason why it is so, and it may find nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import SITE, wait_for_page

REPORT = "/root/scan.json"
#: without DNS, which the machine does not have; -p protocols, -E ciphers of each, -f forward secrecy, -P whose order of
#: ciphers counts, -S certificate and extensions, -h headers, -U vulnerabilities
SCAN = ("testssl", "--quiet", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1", "--jsonfile", REPORT)
HANDSHAKE = "openssl s_client -connect 127.0.0.1:443 -servername dcor.example.org -tls1_2 </dev/null 2>&1"
EVERYTHING = ("-p", "-E", "-f", "-P", "-S", "-h", "-U")
#: An authority that the machine trusts, and a certificate with an RSA key, as its setting "own" has them.
MAKE_RSA = """
mkdir -p /srv/rsa && cd /srv/rsa
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root-key.pem -out root.pem -days 300 \
    -subj /CN=root.example.org 2>&1
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out leaf.csr -subj /CN=dcor.example.org 2>&1
printf 'subjectAltName=DNS:dcor.example.org\\nkeyUsage=digitalSignature\\nextendedKeyUsage=serverAuth\\n' >leaf.ext
openssl x509 -req -in leaf.csr -CA root.pem -CAkey root-key.pem -CAcreateserial -days 90 -extfile leaf.ext \
    -out leaf.pem 2>&1
cp root.pem /usr/local/share/ca-certificates/clinic.crt && update-ca-certificates 2>&1
dcor-server certificate import leaf.pem key.pem
"""

PROTOCOLS = {
    "SSLv2": "not offered",
    "SSLv3": "not offered",
    "TLS1": "not offered",
    "TLS1_1": "not offered",
    "TLS1_2": "offered",
    "TLS1_3": "offered with final",
}
TLS_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
#: of TLS 1.2, by the kind of the certificate's key
TLS_1_2 = {
    kind: {
        f"TLS_ECDHE_{kind}_WITH_AES_128_GCM_SHA256",
        f"TLS_ECDHE_{kind}_WITH_AES_256_GCM_SHA384",
        f"TLS_ECDHE_{kind}_WITH_CHACHA20_POLY1305_SHA256",
    }
    for kind in ("ECDSA", "RSA")
}
#: The profile has X25519MLKEM768 as well, where OpenSSL knows it (3.5), which testssl.sh lists apart from the others.
CURVES = {"X25519", "prime256v1", "secp384r1"}
VULNERABILITIES = {
    *("heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "fallback_SCSV"),
    *("SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4"),
}
#: what testssl.sh dislikes whatever the certificate is, and why it is so
ACCEPTED = {
    "cipher_order": "the profile leaves the order to clients: all of these ciphers are good",
    "BREACH": "pages are compressed; the token in their forms is signed with the time (docs/decisions/tls.md)",
    "secure_renego": "the scanner's own handshake fails; another one is made below",
    "engine_problem": "of the scanner's own OpenSSL, which has no ciphers of GOST",
}
#: the same for a self-signed certificate alone
OF_SELF_SIGNED = {
    "cert_chain_of_trust": "users trust it by its fingerprint (docs/decisions/trust.md)",
    "cert_revocation": "nobody but its owner could revoke it",
    "cert_validityPeriod": "users pin it, so that each new one concerns all of them",
    "HSTS": "a browser that had seen it would not let its user trust the next certificate",
}
GOOD = ("OK", "INFO")


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server with the scanner."""
    with Machine("scan", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        machine.run(*layers.INSTALL, "-qq", *layers.SCANNER, env=layers.NONINTERACTIVE)
        yield machine


class Scan:
    """What testssl.sh has found: severity and words, by the name of what it looked at."""

    def __init__(self, machine: Machine, *options: str) -> None:
        machine.run("rm", "-f", REPORT)
        done = machine.run(*SCAN, *options, f"{SITE}/", check=False, timeout=900)
        found = json.loads(machine.path(REPORT).read_text())
        # Version 3.0 says PFS where 3.2 says FS.
        names = {it["id"]: it["id"].removeprefix("P") if it["id"].startswith("PFS") else it["id"] for it in found}
        self.words: dict[str, str] = {names[it["id"]]: it["finding"] for it in found}
        self.disliked = {names[it["id"]]: it["finding"] for it in found if it["severity"] not in GOOD}
        assert "scanTime" in self.words, done.stdout + done.stderr  # it has come to its end

    def ciphers(self) -> set[str]:
        """Return the ciphers that the server accepts, with any protocol."""
        return {words.split()[-1] for name, words in self.words.items() if name.startswith("cipher-")}


@pytest.mark.long
def test_the_self_signed_certificate_is_served_as_mozilla_recommends(machine: Machine) -> None:
    scan = Scan(machine, *EVERYTHING)
    assert {name: scan.words[name] for name in PROTOCOLS} == PROTOCOLS
    assert scan.ciphers() == TLS_1_3 | TLS_1_2["ECDSA"]
    assert set(scan.words["FS_ECDHE_curves"].split()) == CURVES
    assert "DH_groups" not in scan.words
    assert "Secure Renegotiation IS supported" in machine.shell(HANDSHAKE)
    assert VULNERABILITIES - scan.words.keys() == set()
    assert scan.words["HSTS"] == "not offered"
    assert scan.disliked.keys() - {*ACCEPTED, *OF_SELF_SIGNED} == set(), scan.disliked


@pytest.mark.long
def test_with_a_trusted_certificate_browsers_are_told_to_use_tls_only(machine: Machine) -> None:
    machine.shell(MAKE_RSA)
    scan = Scan(machine, "-p", "-E", "-h")
    assert {name: scan.words[name] for name in PROTOCOLS} == PROTOCOLS
    assert scan.ciphers() == TLS_1_3 | TLS_1_2["RSA"]
    assert scan.words["HSTS_time"].startswith("730 days")
    assert scan.disliked.keys() - ACCEPTED.keys() == set(), scan.disliked
