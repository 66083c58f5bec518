"""An authority for tests in a machine: pebble, its directory under a name of its own, and bind9 as the name server."""

from __future__ import annotations

import json

from dcor_dev.machine import Machine

DIRECTORY = "https://acme.example.org:14000/dir"
#: what the administrator knows of the authority: the roots of its directory's server, and of what it issues
ROOTS = "/srv/acme/roots.pem"
HOOK = "/etc/dcor-server/acme/dns-hook"
CONFIGURATION = {
    "pebble": {
        "listenAddress": "127.0.0.1:14000",
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": "/srv/acme/server.pem",
        "privateKey": "/srv/acme/server-key.pem",
        "httpPort": 80,
        "tlsPort": 443,
        "keyAlgorithm": "ecdsa",
        "profiles": {"default": {"description": "as Let's Encrypt's classic", "promoteCommonName": True}},
    }
}
#: Creates the certificate of the directory's server, by a root of its own.
MAKE_CERTIFICATES = """
mkdir -p /srv/acme && cd /srv/acme
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
openssl req -x509 $new -keyout root-key.pem -out root.pem -days 300 -subj /CN=directory.example.org 2>&1
openssl req $new -keyout server-key.pem -out server.csr -subj /CN=acme.example.org 2>&1
echo subjectAltName=DNS:acme.example.org >server.ext
openssl x509 -req -in server.csr -CA root.pem -CAkey root-key.pem -CAcreateserial -days 200 -extfile server.ext \
    -out server.pem 2>&1
cp root.pem roots.pem
echo "127.0.0.1 acme.example.org" >>/etc/hosts
"""
ZONE = """\
$TTL 60
@ SOA ns1.example.org. admin.example.org. 1 3600 600 86400 60
@ NS ns1.example.org.
ns1 A 127.0.0.1
dcor A 127.0.1.1
"""
NAMED = """
include "/etc/bind/dcor.key";
options { directory "/var/cache/bind"; listen-on { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no; };
zone "example.org" {
    type primary; file "/var/lib/bind/example.org";
    update-policy { grant dcor name _acme-challenge.dcor.example.org. TXT; };
};
"""
START_NAMED = """
tsig-keygen dcor >/etc/bind/dcor.key
chown bind:bind /var/lib/bind /var/lib/bind/example.org
chmod 0640 /etc/bind/dcor.key && chgrp bind /etc/bind/dcor.key
systemctl restart named
until dig +short dcor.example.org @127.0.0.1 | grep -q 127.0.1.1; do sleep 0.1; done
"""
#: Each validation is made anew, and at once.
START = """
systemd-run --quiet --unit=pebble --setenv=PEBBLE_VA_NOSLEEP=1 --setenv=PEBBLE_AUTHZREUSE=0 \
    /usr/local/bin/pebble -config /srv/acme/pebble.json -dnsserver 127.0.0.1:53
until curl --silent --fail --cacert /srv/acme/root.pem --output /dev/null https://acme.example.org:14000/dir; do sleep 0.1; done
curl --silent --fail --cacert /srv/acme/root.pem --connect-to acme.example.org:15000:127.0.0.1:15000 \
    https://acme.example.org:15000/roots/0 >/srv/acme/issuer.pem
cat /srv/acme/root.pem /srv/acme/issuer.pem >/srv/acme/roots.pem
"""
INSTALL_HOOK = f"""
install -d -m 0700 /etc/dcor-server/acme
sed -e 's/^primary=.*/primary=127.0.0.1/' -e 's/^servers=.*/servers=127.0.0.1/' \
    /usr/share/doc/dcor-server/examples/dns-hook >{HOOK}
chmod 0700 {HOOK}
"""


def prepare(machine: Machine) -> None:
    """Configure the authority, which does not run yet, and start the name server."""
    machine.shell(MAKE_CERTIFICATES)
    machine.write("/srv/acme/pebble.json", json.dumps(CONFIGURATION))
    machine.write("/var/lib/bind/example.org", ZONE)
    machine.write("/etc/bind/named.conf", NAMED)
    machine.shell(START_NAMED, timeout=60)


def start(machine: Machine) -> None:
    """Start the authority, and write down its roots."""
    machine.shell(START, timeout=60)
