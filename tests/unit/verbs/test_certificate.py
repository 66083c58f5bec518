"""`dcor-server certificate`: what is served is shown, renewed with the same key, and replaced by the admin's own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from dcor_pkg.answers.settings import OWN, SELF_SIGNED
from dcor_pkg.kernel import settings_file
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.tls import imported, x509_properties
from dcor_pkg.tls.pair import PAIRS, Pair
from tests.unit.command_line import CommandLine
from tests.unit.tls.authority import CHAIN, INTERMEDIATE, KEY, OTHER_KEY, ROOT, pem

GIVEN, GIVEN_KEY = "/srv/chain.pem", "/srv/key.pem"
PAIR = PAIRS[SELF_SIGNED]


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    return dcor_server.converged()


def give(server: CommandLine, chain: str = CHAIN, key: str = pem(KEY)) -> None:
    """Write the two files of an administrator, on a machine that trusts ROOT."""
    host = server.machine.host
    host.write(AUTHORITIES, ROOT.pem, Access(0o644))
    host.write(GIVEN, chain, Access(0o644))
    host.write(GIVEN_KEY, key, Access(0o600))


def served(server: CommandLine) -> str:
    text = server.machine.host.read(PAIR.certificate) or ""
    return x509_properties.fingerprint(x509_properties.load_chain(text)[0])


def test_a_self_signed_certificate_is_shown(server: CommandLine) -> None:
    ended = server("certificate", "show", "--json")
    assert ended.code == 0
    shown = ended.json
    assert (shown["kind"], shown["names"], shown["issuer"]) == (
        SELF_SIGNED,
        ["dcor.example.org"],
        "CN=dcor.example.org",
    )
    assert (shown["sha256"], shown["file"], shown["source"]) == (served(server), PAIR.certificate, "")
    assert shown["days_left"] in (3649, 3650)
    assert (shown["chain_complete"], shown["missing_issuer"], shown["problem"]) == (True, None, None)
    lines = server("certificate", "show").lines
    assert f"sha256       {served(server)}" in lines
    assert "chain        complete" in lines
    assert not any(line.startswith(("source", "problem")) for line in lines)


def test_a_problem_is_shown_and_ends_with_3(server: CommandLine) -> None:
    PAIR.write(server.machine.host, INTERMEDIATE.issue(KEY, begin=-81, end=9), pem(KEY))
    ended = server("certificate", "show", "--json")
    assert (ended.code, ended.json["problem"], ended.json["days_left"]) == (3, "expires in 8 days", 8)
    assert (ended.json["chain_complete"], ended.json["missing_issuer"]) == (False, "CN=intermediate.example.org")
    expected = "chain        incomplete: the certificate of CN=intermediate.example.org is missing"
    assert expected in server("certificate", "show").lines


def test_without_a_certificate_the_message_says_what_makes_one(server: CommandLine) -> None:
    server.machine.host.remove(PAIR.certificate)
    ended = server("certificate", "show")
    assert (ended.code, "contains no certificate" in ended.err, "dcor-server converge" in ended.err) == (1, True, True)


@pytest.mark.parametrize(("options", "same"), [((), True), (("--new-key",), False)])
def test_a_renewed_certificate_has_the_same_key_unless_another_is_wanted(
    server: CommandLine, options: tuple[str, ...], same: bool
) -> None:
    before, key = served(server), server.machine.host.read(PAIR.key)
    ended = server("certificate", "renew", *options)
    assert ended.code == 0, ended
    assert served(server) != before
    assert (server.machine.host.read(PAIR.key) == key) is same
    assert ended.lines[-1].endswith(f"fingerprint in another way: {served(server)}")
    assert server("check").code == 0


@pytest.mark.parametrize("action", [("renew",), ("renew", "--new-key"), ("import", GIVEN, GIVEN_KEY)])
def test_json_says_what_was_done_and_what_is_served_now(server: CommandLine, action: tuple[str, ...]) -> None:
    give(server)
    before = served(server)
    ended = server("certificate", *action, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.json["certificate"] == server("certificate", "show", "--json").json
    assert ended.json["certificate"]["sha256"] != before
    assert ended.json["converge"]["worked"]
    assert {step["result"] for step in ended.json["steps"]} == {"changed", "unchanged"}


def test_json_says_that_nothing_is_served(server: CommandLine) -> None:
    host = server.machine.host
    give(server)
    server("certificate", "import", GIVEN, GIVEN_KEY)
    host.remove(PAIRS[OWN].certificate)
    host.make_directory(PAIRS[OWN].certificate, Access(0o755))
    ended = server("certificate", "renew", "--json")
    assert (ended.code, ended.json["certificate"]) == (1, None)
    assert [step["step"] for step in ended.json["steps"] if step["result"] == "failed"] == ["certificate"]


def test_with_json_a_mistake_is_on_standard_error(server: CommandLine) -> None:
    give(server, key=pem(OTHER_KEY))
    ended = server("certificate", "import", "--json", GIVEN, GIVEN_KEY)
    assert (ended.code, ended.out, "is not the key of the first certificate" in ended.err) == (1, "", True)


def test_own_files_are_copied_for_root_and_served(server: CommandLine) -> None:
    give(server)
    ended = server("certificate", "import", GIVEN, GIVEN_KEY)
    assert ended.code == 0, ended
    host = server.machine.host
    assert imported.FILES.read(host) == PAIRS[OWN].read(host) == (CHAIN, pem(KEY))
    assert (host.access(imported.FILES.key), host.access(imported.FILES.certificate)) == (Access(0o600), Access(0o644))
    host.remove(GIVEN)
    host.remove(GIVEN_KEY)
    assert server("converge").code == 0
    shown = server("certificate", "show", "--json").json
    assert (shown["kind"], shown["source"], shown["chain_complete"]) == (OWN, imported.FILES.certificate, True)


def test_a_second_import_replaces_the_first(server: CommandLine) -> None:
    give(server)
    server("certificate", "import", GIVEN, GIVEN_KEY)
    second = INTERMEDIATE.issue(OTHER_KEY) + INTERMEDIATE.pem
    give(server, second, pem(OTHER_KEY))
    assert server("certificate", "import", GIVEN, GIVEN_KEY).code == 0
    assert PAIRS[OWN].read(server.machine.host) == (second, pem(OTHER_KEY))


INVALID = {
    "key of another": (CHAIN, pem(OTHER_KEY), "is not the key of the first certificate"),
    "encrypted key": (CHAIN, pem(KEY, b"hush"), "is encrypted with a passphrase"),
    "wrong order": (INTERMEDIATE.pem + INTERMEDIATE.issue(KEY), pem(KEY), "is not the key of the first certificate"),
    "expired": (INTERMEDIATE.issue(KEY, end=0) + INTERMEDIATE.pem, pem(KEY), "expired on"),
    "other host": (
        INTERMEDIATE.issue(KEY, "a.example.org") + INTERMEDIATE.pem,
        pem(KEY),
        "is not for dcor.example.org",
    ),
    "binary": ("0\udc82\udcff", pem(KEY), "does not contain a certificate in PEM"),
    "binary key": (CHAIN, "0\udc82\udcff", "does not contain a private key in PEM"),
}


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_what_cannot_be_served_changes_nothing(server: CommandLine, is_first: bool) -> None:
    host = server.machine.host
    if not is_first:
        give(server)
        server("certificate", "import", GIVEN, GIVEN_KEY)
    before = settings_file.read(host), imported.FILES.read(host), PAIRS[OWN].read(host)
    for name, (chain, key, reason) in INVALID.items():
        give(server, chain, key)
        ended = server("certificate", "import", GIVEN, GIVEN_KEY)
        assert (ended.code, reason in ended.err) == (1, True), (name, ended)
        assert (settings_file.read(host), imported.FILES.read(host), PAIRS[OWN].read(host)) == before, name


def test_a_directory_and_a_missing_file_are_named(server: CommandLine) -> None:
    give(server)
    server.machine.host.make_directory("/srv/directory", Access(0o755))
    reasons = {"/srv/directory": "it is a directory", "/srv/none": "does not exist"}
    for place, (other, reason) in product((0, 1), reasons.items()):
        files = [GIVEN, GIVEN_KEY]
        files[place] = other
        ended = server("certificate", "import", *files)
        assert (ended.code, other in ended.err, reason in ended.err) == (1, True, True), ended


@pytest.mark.parametrize("before", [(None, None), ("former", "former key")], ids=["none", "former"])
def test_the_former_copies_come_back_after_an_interruption(
    server: CommandLine, before: tuple[str | None, str | None]
) -> None:
    host = server.machine.host
    give(server)
    for path, text in zip((imported.FILES.certificate, imported.FILES.key), before):
        if text is not None:
            host.write(path, text, Access(0o600))
    with pytest.raises(KeyboardInterrupt), imported.replaced(host, Pair(GIVEN, GIVEN_KEY), "dcor.example.org"):
        raise KeyboardInterrupt
    assert imported.FILES.read(host) == before


def test_a_relative_path_begins_at_the_working_directory(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    give(server)
    monkeypatch.setattr(Path, "cwd", lambda: Path("/srv"))
    assert server("certificate", "import", "chain.pem", "./key.pem").code == 0


@pytest.mark.parametrize("event", ["renewed", "invalid", "gone"])
def test_renew_reads_own_files_again(server: CommandLine, event: str) -> None:
    give(server)
    server("set", f"certificate={OWN}", f"certificate-file={GIVEN}", f"certificate-key={GIVEN_KEY}")
    second = INTERMEDIATE.issue(OTHER_KEY) + INTERMEDIATE.pem
    events: dict[str, Callable[[], None]] = {
        "renewed": lambda: give(server, second, pem(OTHER_KEY)),
        "invalid": lambda: give(server, second, pem(KEY)),
        "gone": lambda: server.machine.host.remove(GIVEN),
    }
    events[event]()
    ended = server("certificate", "renew")
    assert ended.code == (0 if event == "renewed" else 1), ended
    wanted = (second, pem(OTHER_KEY)) if event == "renewed" else (CHAIN, pem(KEY))
    assert PAIRS[OWN].read(server.machine.host) == wanted


def test_no_key_is_made_for_an_own_certificate(server: CommandLine) -> None:
    give(server)
    server("certificate", "import", GIVEN, GIVEN_KEY)
    ended = server("certificate", "renew", "--new-key")
    assert (ended.code, "makes no key" in ended.err, "certificate import" in ended.err) == (1, True, True)


def test_wrong_usage_ends_with_2(server: CommandLine) -> None:
    for line in ("import", f"import {GIVEN}", f"show {GIVEN}", f"renew {GIVEN}", "show --new-key", "other"):
        ended = server("certificate", *line.split())
        assert (ended.code, ended.out, ended.err.startswith("usage: dcor-server")) == (2, "", True), line
