"""A changed setting takes effect in everything that depends on it and nothing else; an invalid one changes nothing.

All tests share a machine; each restores the settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates_and_mail import MAIL_SINK, MAKE_CERTIFICATES
from dcor_dev import layers
from dcor_dev.machine import Machine
from running_services import SERVICES, start_times
from trusting_clients import listed, make_access_token, open_access_token
from users import make_user, upload_measurements
from website import CURL, SITE, serves, wait_for_page

#: The processes of the web server and the job workers, which are not systemd units, and of nginx, which a reload
#: replaces.
PROCESSES = "ps -o pid=,args= -C uwsgi,python,nginx"
SETTINGS = "/etc/dcor-server/dcor-server.conf"
NEW_NAME = "measurements.example.org"
OWN = ("certificate=own", "certificate-file=/srv/tls/chain.pem", "certificate-key=/srv/tls/leaf-key.pem")


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server."""
    with Machine("reconfigure", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine


def dcor(machine: Machine, *arguments: str) -> str:
    """Run dcor-server, and return its output; fail when it fails."""
    return machine.run("dcor-server", *arguments).stdout


def fails_without_change(machine: Machine, *arguments: str) -> str:
    """Run dcor-server, assert that it fails with a message and changes nothing, and return the message."""
    before = machine.path(SETTINGS).read_text(), start_times(machine)
    done = machine.run("dcor-server", *arguments, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (machine.path(SETTINGS).read_text(), start_times(machine)) == before
    return done.stderr


def status(machine: Machine, address: str, *options: str) -> str:
    """Return the HTTP status of a response."""
    return machine.shell(f"{CURL} --output /dev/null --write-out '%{{http_code}}' {' '.join(options)} '{address}'")


def test_a_reconfiguration_without_a_change_restarts_nothing(machine: Machine) -> None:
    before, processes = start_times(machine), machine.shell(PROCESSES).splitlines()
    assert len(before) == len(SERVICES)
    assert not any("ActiveEnterTimestampMonotonic=0 " in unit for unit in before.values())
    file = machine.path(SETTINGS).read_text()
    assert all(any(name in process for process in processes) for name in ("bin/uwsgi", ".workers", "nginx: worker"))
    done = machine.run("dpkg-reconfigure", "dcor-server", env=layers.NONINTERACTIVE)
    assert "0 changed" in done.stdout + done.stderr
    assert start_times(machine) == before
    assert set(processes) <= set(machine.shell(PROCESSES).splitlines())
    assert machine.path(SETTINGS).read_text() == file


def test_several_settings_can_be_changed_at_once(machine: Machine) -> None:
    assert dcor(machine, "get", "site-title") == "DCOR\n"
    dcor(machine, "set", "site-title=Beads & Cells 100%", "workers=3", "robots=no")
    assert "Beads &amp; Cells 100%" in machine.shell(f"{CURL} --cookie dcor=x {SITE}/")
    assert "Disallow: /\n" in machine.shell(f"{CURL} {SITE}/robots.txt")
    assert "processes = 3" in machine.path("/etc/dcor-server/uwsgi.ini").read_text()
    assert json.loads(dcor(machine, "get", "--json"))["workers"] == "3"
    dcor(machine, "set", "site-title=", "workers=", "robots=")
    assert dcor(machine, "get", "site-title") == "DCOR\n"


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        (("hostname=no host",), "not a host name"),
        (("site-title=X", "workers=many"), "dcor-server/workers = 'many'"),
        (("sitetitle=X",), "no setting 'sitetitle'"),
        (("site-title",), "is not KEY=VALUE"),
        (("site-title=a", "site-title=b"), "twice"),
        (("database-password=hush",), "every user of this machine can read a command line"),
        (("certificate=own",), "dcor-server/certificate-file"),
        (("licences=/nowhere.json",), "dcor-server/licences"),
        (("data-directory=/srv/empty",), "dcor-server move-data /srv/empty"),
        (("data-directory=/etc/hosts",), "is not a directory"),
    ],
)
def test_an_invalid_setting_changes_nothing(machine: Machine, assignments: tuple[str, ...], words: str) -> None:
    output = fails_without_change(machine, "set", *assignments)
    assert words in output
    assert "hush" not in output


def test_a_changed_host_name_takes_effect_everywhere(machine: Machine) -> None:
    """In the certificate, nginx, CKAN, links in the database and the search index, and addresses of objects."""
    dataset = upload_measurements(machine)["dataset"]
    token = make_access_token(machine, make_user(machine, "traveller").name)
    before = start_times(machine)
    machine.shell(f"echo '127.0.0.1 {NEW_NAME}' >>/etc/hosts")
    dcor(machine, "set", f"hostname={NEW_NAME}")
    site = f"https://{NEW_NAME}"
    answers = [
        json.loads(machine.shell(f"{CURL} '{site}/api/3/action/{action}'"))["result"]
        for action in (f"package_show?id={dataset}", "package_search")
    ]
    resources = [*answers[0]["resources"], *answers[1]["results"][0]["resources"]]
    assert len(resources) == 6
    for resource in resources:
        assert resource["url"].startswith(f"{site}/dataset/")
        assert resource["s3_url"].startswith(f"{site}/circle-")
        assert status(machine, resource["s3_url"], "--range", "0-9") == "206"
    assert "000" in machine.shell(f"{CURL} --insecure --output /dev/null --write-out '%{{http_code}}' {SITE}/ || :")
    assert start_times(machine) == before
    machine.run("dcor-server", "check")
    assert_reissued(machine, token)
    dcor(machine, "set", "hostname=dcor.example.org")
    assert serves(machine)


def assert_reissued(machine: Machine, token: dict[str, Any]) -> None:
    """Assert that an access token with the former name is named, and that the one in its place opens the server."""
    (void,) = listed(machine, "--outdated")
    assert (void["id"], void["hostname"]) == (token["id"], "dcor.example.org")
    status = machine.run("dcor-server", "status", check=False).stdout
    assert "lists an access token with another certificate or host name" in status
    command = ("token", "reissue", "--json", "--show-password", "--output", "/root", token["user"])
    made = json.loads(dcor(machine, *command))
    assert (made["user"], made["hostname"], made["id"] != token["id"]) == (token["user"], NEW_NAME, True)
    assert listed(machine, "--outdated") == []
    uploaded = upload_measurements(machine)
    ids = (uploaded["dataset"], uploaded["resources"]["calibration_beads_47.rtdc"]["id"])
    assert open_access_token(machine, made, "--read", *ids, host=NEW_NAME)["user"] == token["user"]
    dcor(machine, "token", "revoke", made["id"])


@pytest.mark.long
def test_an_own_certificate_is_validated_used_and_updated_from_its_files(machine: Machine) -> None:
    own_first = machine.shell("openssl x509 -noout -fingerprint -in /etc/dcor-server/tls/certificate.pem")
    machine.shell(MAKE_CERTIFICATES)
    assert "not signed by an authority" in fails_without_change(machine, "set", *OWN)
    machine.shell("cp /srv/tls/root.pem /usr/local/share/ca-certificates/clinic.crt && update-ca-certificates 2>&1")
    assert "is not the key" in fails_without_change(machine, "set", *OWN[:2], "certificate-key=/srv/tls/other-key.pem")
    assert "is not the key" in fails_without_change(
        machine, "set", OWN[0], "certificate-file=/srv/tls/turned.pem", OWN[2]
    )
    assert "is not for" in fails_without_change(machine, "set", *OWN, f"hostname={NEW_NAME}")
    before = start_times(machine)
    dcor(machine, "set", *OWN)
    page = machine.shell(f"curl --silent --show-error --include {SITE}/")
    assert page.startswith("HTTP/2 200")
    assert "strict-transport-security" in page
    assert start_times(machine) == before
    assert "own, until" in machine.run("dcor-server", "status").stdout

    machine.shell(
        "cd /srv/tls && openssl x509 -req -in leaf.csr -CA middle.pem -CAkey middle-key.pem -days 100 "
        "-extfile leaf.ext -out leaf.pem 2>&1 && cat leaf.pem middle.pem >chain.pem"
    )
    assert machine.run("dcor-server", "check", check=False).returncode == 3
    dcor(machine, "converge")
    served = machine.shell(
        "openssl s_client -connect localhost:443 -servername dcor.example.org </dev/null 2>/dev/null | "
        "openssl x509 -noout -fingerprint"
    )
    assert served == machine.shell("openssl x509 -noout -fingerprint -in /srv/tls/leaf.pem")

    dcor(machine, "set", "certificate=self-signed")
    assert serves(machine)
    assert machine.shell("openssl x509 -noout -fingerprint -in /etc/dcor-server/tls/certificate.pem") == own_first


def test_measurements_can_be_read_after_a_move_of_the_data(machine: Machine) -> None:
    dataset = upload_measurements(machine)["dataset"]
    machine.shell("mkdir -p /srv/full && touch /srv/full/file")
    assert "is not empty: it contains file" in fails_without_change(machine, "move-data", "/srv/full")
    assert "inside it or above it" in fails_without_change(machine, "move-data", "/data/new")
    output = dcor(machine, "move-data", "/srv/measurements")
    assert "are in /srv/measurements. /data keeps its copy" in output
    address = json.loads(machine.shell(f"{CURL} '{SITE}/api/3/action/package_show?id={dataset}'"))["result"][
        "resources"
    ][0]
    machine.shell("mv /data /data.away")
    assert status(machine, address["s3_url"], "--range", "0-9") == "206"
    machine.run("dcor-server", "check")
    machine.run("dcor-server", "status")
    machine.shell("mv /data.away /data")
    assert "the data of this server are in /srv/measurements, not in /data" in fails_without_change(
        machine, "set", "data-directory=/data"
    )
    machine.shell("rm -rf /data")
    dcor(machine, "move-data", "/data")
    assert status(machine, address["s3_url"], "--range", "0-9") == "206"


@pytest.mark.long
def test_mail_is_sent_by_the_relay(machine: Machine) -> None:
    machine.write("/srv/sink.py", MAIL_SINK)
    machine.shell("systemd-run --quiet --unit=mail-sink python3 /srv/sink.py")
    machine.shell(
        "until ss --no-header --listening --tcp --numeric | grep --quiet ':2525 '; do sleep 0.1; done", timeout=60
    )
    dcor(machine, "set", "mail-relay=localhost:2525", "email=curator@example.org")
    someone = make_user(machine, "forgetful")
    token = machine.shell(
        f'{CURL} --cookie-jar /srv/jar {SITE}/user/reset | grep -o \'name="_csrf_token" content="[^"]*\' | cut -d\'"\' -f4'
    ).strip()
    machine.shell(
        f"{CURL} --output /dev/null --cookie /srv/jar --referer {SITE}/user/reset --data-urlencode '_csrf_token={token}' "
        f"--data 'user={someone.name}' {SITE}/user/reset"
    )
    machine.shell(f"until grep --quiet '{someone.name}@example.org' /srv/mails; do sleep 0.1; done", timeout=60)
    mail = machine.path("/srv/mails").read_text()
    assert "curator@example.org" in mail
    machine.shell("systemctl stop dcor-solr.socket && ! systemctl start dcor-nightly")
    subject = r"Subject: \[dcor.example.org\] dcor-nightly.service has failed"
    machine.shell(f"until grep --quiet '{subject}' /srv/mails; do sleep 0.1; done", timeout=60)
    machine.shell("systemctl reset-failed && systemctl start dcor-solr")
    dcor(machine, "set", "mail-relay=", "email=admin@example.org")
    machine.run("systemctl", "stop", "mail-sink")


def test_settings_that_are_no_questions_take_effect(machine: Machine) -> None:
    machine.write("/etc/dcor-server/about.md", "# Our laboratory\n\nWe measure 100% of *cells*.\n\n; and beads\n")
    machine.write("/etc/dcor-server/licences.json", '[{"id": "clinic", "title": "For the clinic", "url": ""}]')
    machine.write(
        "/etc/dcor-server/supplements/1_patient.json",
        '{"key": "patient", "name": "Patient", "requires": {}, "items": [{"key": "age", "name": "Age", "type": "integer", '
        '"hint": "in years", "example": 42}]}',
    )
    changed = (
        "about=/etc/dcor-server/about.md",
        "licences=/etc/dcor-server/licences.json",
        "registration=yes",
        "resource-supplements=/etc/dcor-server/supplements",
        "anonymous-listing=no",
        "public-datasets=no",
        "upload-limit=5",
        "log-level=info",
    )
    dcor(machine, "set", *changed)
    about = machine.shell(f"{CURL} --cookie dcor=x {SITE}/about")
    assert "<h1>Our laboratory</h1>" in about
    assert "100% of <em>cells</em>" in about
    assert "; and beads" in about
    assert [one["id"] for one in _result(machine, "license_list")] == ["clinic"]
    assert status(machine, f"{SITE}/user/register") == "200"
    assert "patient" in json.dumps(_result(machine, "resource_schema_supplements"))
    assert status(machine, f"{SITE}/api/3/action/organization_list") in ("403", "409")
    ini = machine.path("/etc/ckan/default/ckan.ini").read_text()
    assert "ckan.max_resource_size = 5\n" in ini
    assert "allow_public_datasets = false\n" in ini
    dcor(machine, "set", *(f"{one.partition('=')[0]}=" for one in changed))
    assert status(machine, f"{SITE}/user/register") == "404"
    assert "Our laboratory" not in machine.shell(f"{CURL} --cookie dcor=x {SITE}/about")


def _result(machine: Machine, action: str) -> Any:
    result: Any = json.loads(machine.shell(f"{CURL} {SITE}/api/3/action/{action}"))["result"]
    return result
