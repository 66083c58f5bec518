"""Users who do what the page /trust says can use the server with dclab, DCOR-Aid, Chromium and curl.

The commands are taken from the page. All tests share a machine, and each restores the settings.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates_and_mail import MAKE_CERTIFICATES
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import CERTIFICATE, INSIDE, make_user, upload_measurements
from website import SITE, wait_for_page

CLIENTS = Path(__file__).with_name("clients")
HOME = "/home/researcher"
PYTHON = f"{HOME}/clients/bin/python"
BUNDLE = f"{HOME}/clients/lib/python3*/site-packages/certifi/cacert.pem"
#: the file of certifi before all tests
ORIGINAL = f"{HOME}/original.pem"
OWN = ("certificate=own", "certificate-file=/srv/tls/chain.pem", "certificate-key=/srv/tls/leaf-key.pem")
PAGES = (f"{SITE}/trust", f"{SITE}/de/trust")
#: as a browser does, under the name that the server gives it; curl itself would not replace an older file
DOWNLOAD = f"rm -f *.crt && curl --insecure --silent --remote-name --remote-header-name {SITE}/trust/certificate.crt"
#: Opens a resource with dclab, as a program of a user does, and prints the first value that it reads. dclab warns where
#: an answer takes more than a second, as it may on a busy machine, and asks again (dclab/http_utils.py).
READ = (
    "import sys, warnings; from dclab.rtdc_dataset import fmt_dcor; "
    "warnings.filterwarnings('ignore', 'Encountered .* timed out'); remote = fmt_dcor.RTDC_DCOR(sys.argv[1]); "
    "print(remote['deform'][0], remote['image'][0].shape)"
)


@pytest.fixture(scope="module")
def machine(suite: str, debs: list[Path], package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server, on which a user has an environment of Python with dclab and DCOR-Aid, and a browser."""
    clients = layers.clients(suite, CLIENTS.with_suffix(".txt"))
    stack = (*layers.with_browser(suite, debs), clients, layers.nss_tools(suite))
    with Machine("trust", stack, read_only=package_mounts) as machine:
        wait_for_page(machine)
        machine.copy_in(CLIENTS, f"{INSIDE}/programs")
        machine.shell(f"useradd --create-home researcher && cp -a /opt/clients {HOME}/clients")
        machine.shell(f"cp {BUNDLE} {ORIGINAL} && chown -R researcher: {HOME}")
        upload_measurements(machine)
        yield machine


def as_user(machine: Machine, script: str, text: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a script as the user, whose environment is active, and who has Mozilla's certutil."""
    path = f"{HOME}/clients/bin:/opt/nss/usr/bin:/usr/bin:/bin"
    environment = {"HOME": HOME, "PATH": path}
    command = ("bash", "-euo", "pipefail", "-c", f"cd && {script}")
    return machine.run(*command, user="researcher", env=environment, text=text, check=check)


def page(machine: Machine, address: str = PAGES[0]) -> str:
    """Return the page; nothing can be trusted yet."""
    return machine.run("curl", "--insecure", "--silent", "--show-error", "--fail", address).stdout


def commands(machine: Machine, pattern: str) -> str:
    """Return the one block of commands on the page of which a line matches a pattern."""
    blocks = re.findall(r"<pre><code>(.*?)</code></pre>", page(machine), re.DOTALL)
    (block,) = (block for block in blocks if re.search(pattern, block, re.MULTILINE))
    return html.unescape(block)


def fingerprint(machine: Machine, file: str = CERTIFICATE) -> str:
    """Return the fingerprint that OpenSSL computes of a certificate."""
    shown = machine.shell(f"openssl x509 -noout -fingerprint -sha256 -in {file}")
    return shown.strip().partition("=")[2]


def told(machine: Machine) -> str:
    """Return the fingerprint that the administrator sees."""
    parts = json.loads(machine.run("dcor-server", "status", "--json", check=False).stdout)["parts"]
    (detail,) = (part["detail"] for part in parts if part["name"] == "trust")
    return str(detail).rpartition(" ")[2]


def trust(machine: Machine) -> str:
    """Download the script and run it as the page says, enter the fingerprint, and return the output."""
    as_user(machine, commands(machine, "^curl --insecure"))
    return as_user(machine, commands(machine, "^python trust.py$"), text=f"{told(machine)}\n").stdout


def read(machine: Machine, environment: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """Read a measurement with dclab."""
    resource = upload_measurements(machine)["resources"]["calibration_beads_47.rtdc"]["id"]
    address = f"{SITE}/api/3/action/dcserv?id={resource}"
    return as_user(machine, f'{environment} python -c "{READ}" "{address}"', check=check)


def assert_reads(machine: Machine) -> None:
    """Assert that dclab reads a measurement and prints nothing else."""
    done = read(machine)
    assert (done.stdout.split()[0][:10], done.stderr) == ("0.01166629", "")


def browse(machine: Machine, *addresses: str) -> list[dict[str, Any]]:
    """Open pages in the user's Chromium."""
    program = f"/usr/bin/python3 {INSIDE}/programs/warned_browser.py --screenshots {HOME}/screenshots"
    seen: list[dict[str, Any]] = json.loads(as_user(machine, f"{program} {' '.join(addresses)}").stdout)
    return seen


def test_the_administrator_sees_the_fingerprint_and_users_get_the_certificate(machine: Machine) -> None:
    assert told(machine) == fingerprint(machine)
    assert f"https://dcor.example.org/trust, SHA-256 {told(machine)}" in machine.run("dcor-server", "status").stdout
    for address in PAGES:
        assert told(machine) in page(machine, address)
    assert page(machine, f"{SITE}/trust/certificate.crt") == machine.path(CERTIFICATE).read_text()


def test_what_earlier_instructions_said_opens_nothing(machine: Machine) -> None:
    """With it dclab gives up after five attempts, and does not say why."""
    environment = f"REQUESTS_CA_BUNDLE={CERTIFICATE}"
    assert as_user(machine, f"{environment} python -c 'import requests; requests.get(\"{SITE}/\")'").stderr == ""
    assert read(machine, environment, check=False).returncode != 0


def test_dclab_and_dcor_aid_work_silently_after_the_script(machine: Machine) -> None:
    assert read(machine, check=False).returncode != 0
    output = trust(machine)
    assert f"fingerprint\n{told(machine)}\n" in output
    assert "dcor.example.org is trusted." in output
    assert_reads(machine)
    token = f"{HOME}/token"
    machine.shell(f"install --owner researcher --mode 600 {make_user(machine, 'researcher').token} {token}")
    done = as_user(machine, f"python {INSIDE}/programs/measurement.py dcor.example.org --token {token}")
    seen = json.loads(done.stdout)
    assert seen["resources"]["calibration_beads_47.rtdc"]["dclab"]["deform[0]"] == 0.011666297
    assert "Traceback" not in done.stderr


def test_another_fingerprint_and_a_lack_of_rights_change_nothing(machine: Machine) -> None:
    trust(machine)
    before = machine.shell(f"cat {BUNDLE} /opt/clients/lib/python3*/site-packages/certifi/cacert.pem")
    wrong = as_user(machine, "python trust.py", text=f"{told(machine)[:-1]}x\n", check=False)
    assert (wrong.returncode, "nothing was changed" in wrong.stderr) == (1, True)
    command = f"/opt/clients/bin/python trust.py --fingerprint {told(machine)}"
    denied = as_user(machine, command, check=False)
    assert (denied.returncode, "Nothing was changed: [Errno 13] Permission denied" in denied.stderr) == (1, True)
    assert machine.shell(f"cat {BUNDLE} /opt/clients/lib/python3*/site-packages/certifi/cacert.pem") == before


def test_chromium_warns_until_the_certificate_is_imported(machine: Machine) -> None:
    assert [seen["error"] for seen in browse(machine, PAGES[0])] == ["net::ERR_CERT_AUTHORITY_INVALID"]
    as_user(machine, DOWNLOAD)
    shown = as_user(machine, commands(machine, "^certutil -A")).stdout
    assert shown.strip().endswith(told(machine))
    english, german, start = browse(machine, *PAGES, f"{SITE}/")
    assert [seen["error"] for seen in (english, german, start)] == [None] * 3
    assert (english["title"], german["title"]) == ("Trust this server - DCOR", "Diesem Server vertrauen - DCOR")
    assert told(machine) in english["text"]
    assert "DCOR" in start["title"]


def test_the_programs_of_linux_trust_it_as_well(machine: Machine) -> None:
    assert machine.run("curl", "--silent", f"{SITE}/", check=False).returncode == 60
    machine.shell(f"cd /root && {DOWNLOAD}")
    machine.shell(
        "cd /root && " + commands(machine, "update-ca-certificates").replace("sudo ", "").replace("\n", " && ")
    )
    machine.run("curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", f"{SITE}/")
    machine.shell("rm /usr/local/share/ca-certificates/*.crt && update-ca-certificates")


@pytest.mark.long
def test_a_renewed_certificate_is_offered_at_once_and_takes_the_place_of_the_old_one(machine: Machine) -> None:
    trust(machine)
    old, old_text = told(machine), machine.path(CERTIFICATE).read_text()
    machine.shell(f"rm {CERTIFICATE}")
    output = machine.run("dcor-server", "converge").stdout
    new = told(machine)
    assert new == fingerprint(machine) != old
    assert f"SHA-256 fingerprint {new}" in output
    assert all(new in page(machine, address) for address in PAGES)
    assert read(machine, check=False).returncode != 0
    trust(machine)
    assert_reads(machine)
    bundle = machine.shell(f"cat {BUNDLE}")
    assert (old_text in bundle, machine.path(CERTIFICATE).read_text() in bundle) == (False, True)


@pytest.mark.long
def test_the_authority_of_an_own_certificate_is_trusted_once(machine: Machine) -> None:
    """It is the clinic's root, and stays when the server's certificate is renewed."""
    machine.shell(MAKE_CERTIFICATES)
    machine.shell("cp /srv/tls/root.pem /usr/local/share/ca-certificates/clinic.crt && update-ca-certificates 2>&1")
    machine.run("dcor-server", "set", *OWN)
    assert told(machine) == fingerprint(machine, "/srv/tls/root.pem")
    assert read(machine, check=False).returncode != 0
    trust(machine)
    assert_reads(machine)
    as_user(machine, DOWNLOAD)
    as_user(machine, f"rm -rf .pki; {commands(machine, '^certutil -A')}")
    assert [seen["title"] for seen in browse(machine, *PAGES)] == [
        "Trust this server - DCOR",
        "Diesem Server vertrauen - DCOR",
    ]
    machine.shell(
        "cd /srv/tls && openssl x509 -req -in leaf.csr -CA middle.pem -CAkey middle-key.pem -days 100 "
        "-extfile leaf.ext -out leaf.pem 2>&1 && cat leaf.pem middle.pem >chain.pem"
    )
    machine.run("dcor-server", "converge")
    assert told(machine) == fingerprint(machine, "/srv/tls/root.pem")
    assert_reads(machine)
    machine.run("dcor-server", "set", "certificate=self-signed")
    assert told(machine) == fingerprint(machine)
    machine.shell("rm /usr/local/share/ca-certificates/clinic.crt && update-ca-certificates 2>&1")


def test_the_page_works_while_ckan_is_down_and_the_script_undoes_what_it_did(machine: Machine) -> None:
    trust(machine)
    machine.shell("systemctl stop dcor-ckan")
    for address in (*PAGES, f"{SITE}/trust/certificate.crt", f"{SITE}/trust/trust.py"):
        assert page(machine, address)
    as_user(machine, "python trust.py --remove")
    machine.shell("systemctl start dcor-ckan")
    wait_for_page(machine)
    machine.shell(f"cmp {BUNDLE} {ORIGINAL}")
