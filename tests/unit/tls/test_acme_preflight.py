"""What keeps an authority from issuing a certificate is said in one sentence, before anything is changed."""

from __future__ import annotations

import pytest

from dcor_pkg.answers.settings import ACME, DNS_01, InvalidAnswer, Settings
from dcor_pkg.kernel.instance import PRESERVED_INSTANCE
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import PRESERVED
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.tls import acme_preflight
from dcor_pkg.tls.acme_client import HOOK
from tests.unit.command_line import CommandLine
from tests.unit.fake_machine import Machine
from tests.unit.tls.authority import CHAIN, NAME, ROOT

BEFORE = Settings(hostname=NAME)
DIRECTORY = Answer(200, '{"newOrder": "https://ca.example.org/order"}')
FILE = "/srv/root.pem"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """Return what the directory answers, the last one for ever."""
    found = [DIRECTORY]
    monkeypatch.setattr(http_request, "get", lambda *_: found[-1])
    return found


def check(machine: Machine, *, before: Settings | None = BEFORE, **wanted: str) -> None:
    settings = Settings(**{"hostname": NAME, "certificate": ACME, **wanted})
    acme_preflight.check(machine.host, Proposal(before, settings, {}))


def refused(machine: Machine, key: str, reason: str, *, before: Settings | None = BEFORE, **wanted: str) -> None:
    with pytest.raises(InvalidAnswer) as invalid:
        check(machine, before=before, **wanted)
    assert (invalid.value.key, reason in invalid.value.problem, "\n" in invalid.value.reason) == (key, True, False), (
        invalid.value.reason
    )
    assert invalid.value.hint


def test_a_directory_that_answers_is_accepted(machine: Machine, answers: list[Answer]) -> None:
    check(machine)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(0, "Connection refused"), "cannot be reached (Connection refused)"),
        (Answer(404, "nothing"), "cannot be reached (it answers 404)"),
        (Answer(200, "<html>"), "is not the directory of an ACME server"),
        (Answer(200, "[]"), "is not the directory of an ACME server"),
    ],
)
def test_what_is_not_a_directory_is_refused_but_not_in_a_first_installation(
    machine: Machine, answers: list[Answer], answer: Answer, reason: str
) -> None:
    answers.append(answer)
    refused(machine, "acme-directory", reason)
    check(machine, before=None)


def test_a_change_of_something_else_asks_nobody(machine: Machine, answers: list[Answer]) -> None:
    answers.append(Answer(0, "Connection refused"))
    check(machine, before=Settings(hostname=NAME, certificate=ACME), site_title="Another")
    check(machine, certificate="self-signed")


@pytest.mark.parametrize(
    "directory", ["http://ca.example.org", "ca.example.org", "https://", "https://u@ca.example.org"]
)
def test_a_directory_has_an_https_address(directory: str) -> None:
    with pytest.raises(InvalidAnswer, match="is not an address https://"):
        Settings(hostname=NAME, acme_directory=directory)


def test_names_that_no_authority_certifies_are_refused(machine: Machine, answers: list[Answer]) -> None:
    refused(machine, "hostname", "is the name of every machine", hostname="localhost")
    refused(machine, "certificate-names", "contains an IP address", certificate_names="dcor.intranet 192.0.2.1")
    with pytest.raises(InvalidAnswer, match="is an IP address"):
        check(machine, hostname="192.0.2.1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "the file does not exist"),
        ("nothing", "does not contain a certificate in PEM"),
        (CHAIN, "is not an authority's (CN=dcor.example.org)"),
    ],
)
def test_a_file_that_is_no_root_certificate_is_refused(
    machine: Machine, answers: list[Answer], text: str | None, reason: str
) -> None:
    if text is not None:
        machine.host.write(FILE, text, Access(0o644))
    refused(machine, "acme-authority", reason, acme_authority=FILE)


def test_a_folder_is_no_root_certificate(machine: Machine, answers: list[Answer]) -> None:
    machine.host.make_directory(FILE, Access(0o755))
    refused(machine, "acme-authority", "it is a directory", acme_authority=FILE)


def test_the_directory_is_asked_with_the_root_certificate(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def get(address: str, authorities: str) -> Answer:
        asked.append((address, authorities))
        return DIRECTORY

    monkeypatch.setattr(http_request, "get", get)
    root = ROOT.pem
    machine.host.write(FILE, root, Access(0o644))
    check(machine, acme_authority=FILE, acme_directory="https://ca.example.org/d")
    assert asked == [("https://ca.example.org/d", root)]


def test_the_program_for_the_dns_is_required_and_tried(machine: Machine, answers: list[Answer]) -> None:
    refused(machine, "acme-challenge", "which does not exist", before=None, acme_challenge=DNS_01)
    for access in (Access(0o600), Access(0o722), Access(0o700, "curator", "curator")):
        machine.host.write(HOOK, "", access)
        refused(machine, "acme-challenge", f"which is {access}: only root may write it", acme_challenge=DNS_01)
    machine.host.write(HOOK, "", Access(0o700))
    machine.programs[HOOK] = lambda _: ""
    check(machine, acme_challenge=DNS_01)
    machine.fail(HOOK, "add", words="; TSIG error with server\nupdate failed: NOTAUTH(BADKEY)\n", code=2)
    refused(machine, "acme-challenge", "(update failed: NOTAUTH(BADKEY))", acme_challenge=DNS_01)
    check(machine, before=None, acme_challenge=DNS_01)


def test_what_a_purge_has_preserved_counts(machine: Machine, answers: list[Answer]) -> None:
    root = "/etc/dcor-server/acme/root.pem"
    machine.host.write(f"{PRESERVED}/acme/root.pem", ROOT.pem, Access(0o600))
    machine.host.write(f"{PRESERVED}/acme/dns-hook", "#!/bin/sh\n", Access(0o700))
    refused(machine, "acme-challenge", "does not exist", before=None, acme_challenge=DNS_01)
    machine.host.write(PRESERVED_INSTANCE, "id\n", Access(0o600))
    check(machine, before=None, acme_authority=root, acme_challenge=DNS_01)


def test_nothing_is_changed_where_the_directory_cannot_be_reached(
    dcor_server: CommandLine, answers: list[Answer]
) -> None:
    server = dcor_server.converged()
    before = server("get").out
    answers.append(Answer(0, "Connection refused"))
    ended = server("set", "certificate=acme")
    assert (ended.code, "dcor-server/acme-directory" in ended.err, "Traceback" in ended.err) == (1, True, False)
    assert server("get").out == before
