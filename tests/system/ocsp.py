"""OCSP for tests in a machine: a certificate that names a responder, and responders that answer and that do not."""

from __future__ import annotations

import re

from dcor_dev.machine import Machine

#: Creates a certificate that names a responder of OCSP, and the index by which openssl-ocsp(1) says that it is good.
MAKE_STAPLED = """
mkdir -p /srv/ocsp && cd /srv/ocsp
printf 'subjectAltName=DNS:dcor.example.org\\nauthorityInfoAccess=OCSP;URI:http://ocsp.example.org:2560/\\n' >leaf.ext
openssl x509 -req -in /srv/tls/leaf.csr -CA /srv/tls/middle.pem -CAkey /srv/tls/middle-key.pem -CAcreateserial \
    -days 200 -extfile leaf.ext -out leaf.pem 2>&1
cat leaf.pem /srv/tls/middle.pem >chain.pem
printf 'V\\t351231000000Z\\t\\t%s\\tunknown\\t/CN=dcor.example.org\\n' "$(openssl x509 -noout -serial -in leaf.pem | cut -d= -f2)" \
    >index.txt
"""
RESPONDER = (
    "openssl ocsp -port 2560 -index /srv/ocsp/index.txt -CA /srv/tls/middle.pem -rsigner /srv/tls/middle.pem "
    "-rkey /srv/tls/middle-key.pem -nmin 60"
)
#: Accepts what is sent to a port, by TCP as an authority's and by UDP as that of DNS, and never answers.
SILENT = """
import signal, socket
tcp = socket.create_server(("127.0.0.1", 2560))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.53", 53))
signal.pause()
"""


def staple(machine: Machine) -> str:
    """Return what nginx says of the certificate's state in a handshake: "good", or "" where it says nothing."""
    asked = "openssl s_client -connect 127.0.0.1:443 -servername dcor.example.org -status </dev/null 2>&1"
    found = re.search(r"^    Cert Status: (.+)$", machine.shell(asked), re.MULTILINE)
    return found[1] if found else ""


def run_unit(machine: Machine, name: str, command: str) -> None:
    """Run a program in the background, as a unit that can be stopped by its name."""
    machine.shell(f"systemd-run --quiet --unit={name} {command}")
