"""`dcor-server token`: files for users' programs are made, listed, revoked, and made anew after a change."""

from __future__ import annotations

import json
import stat
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dcor_pkg.answers.settings import parse
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import settings_file
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import disk, exclusive_file, output
from dcor_pkg.machine.host import Access
from dcor_pkg.status.fingerprint import fingerprint
from dcor_pkg.tls.self_signed import PAIR, SelfSignedCertificate
from dcor_pkg.tokens import issued
from dcor_pkg.verbs import active_release, token_making, tokens
from tests.unit.command_line import ANSWERS, CommandLine, Ended

DAY = 86400
FILE = "/out/alice.dcor-access"
STATE = "/var/lib/dcor-server/access-tokens.json"


@dataclass
class Ckan:
    """What the module in CKAN's Python does: the tokens with their ends, and when each was used last."""

    users: dict[str, str] = field(default_factory=lambda: {"alice": "active", "bob": "active", "carol": "deleted"})
    tokens: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)

    def __call__(self, request: str) -> Any:
        arguments = json.loads(request)
        actions: dict[str, Callable[..., Any]] = {
            "create": self.create,
            "used": self.last_used,
            "revoke": self.revoke,
        }
        return actions[arguments.pop("do")](**arguments)

    def create(self, name: str, identity: str, end: int) -> Any:
        state = self.users.get(name, "missing")
        if state != "active":
            return {"refused": [f"The user {name} is {state}.", "A hint."]}
        self.tokens[identity] = end
        return {"token": f"api token of {name}"}

    def last_used(self) -> Any:
        return {it: self.used.get(it) for it in self.tokens}

    def revoke(self, identities: list[str]) -> Any:
        return [it for it in identities if self.tokens.pop(it, None)]


@pytest.fixture
def ckan() -> Ckan:
    return Ckan()


@pytest.fixture
def server(dcor_server: CommandLine, ckan: Ckan, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return the command on a terminal of a server, as far as it is looked at, in a directory of its own."""
    set_up(dcor_server, "dcor.example.org")
    monkeypatch.setattr(active_release, "require_for_data", lambda host: "the-release")
    dcor_server.machine.ckan.results["access_tokens"] = ckan
    dcor_server.machine.host.make_directory("/out", Access(0o755))
    monkeypatch.setattr(output, "is_seen", lambda: True)
    monkeypatch.setattr(Path, "cwd", lambda: Path("/out"))
    return dcor_server


def set_up(server: CommandLine, hostname: str) -> None:
    settings_file.save(server.machine.host, parse({**ANSWERS, "hostname": hostname}))
    SelfSignedCertificate(hostname).apply(server.machine.host)


def notices(server: CommandLine) -> list[Notice]:
    return issued.notices(server.machine.host, settings_file.load(server.machine.host))


def password(ended: Ended) -> str:
    (line,) = (line for line in ended.lines if line.startswith("Its password is shown only now: "))
    return line.rpartition(" ")[2]


def read(server: CommandLine, path: str, secret: str) -> dict[str, str]:
    """Return what a program reads from an access token."""
    with zipfile.ZipFile(server.machine.host.path(path)) as archive:
        archive.setpassword(secret.encode())
        return {name: archive.read(name).decode().strip() for name in archive.namelist()}


def new_certificate(server: CommandLine) -> None:
    SelfSignedCertificate("dcor.example.org").apply(server.machine.host)


def assert_nothing_was_made(server: CommandLine, ckan: Ckan, *names: str) -> None:
    assert (ckan.tokens, issued.read(server.machine.host)) == ({}, [])
    assert server.machine.host.names("/out") == list(names)


def test_the_file_has_certificate_and_token_and_its_password_is_shown_once(server: CommandLine, ckan: Ckan) -> None:
    ended = server("token", "create", "alice")
    assert (ended.code, ended.err) == (0, "")
    found = read(server, FILE, password(ended))
    certificate = server.machine.host.read(PAIR.certificate) or ""
    assert certificate in found["server.cert"]
    assert found["api_key.txt"] == "api token of alice"
    assert stat.S_IMODE(server.machine.host.path(FILE).stat().st_mode) == 0o600
    (end,) = ckan.tokens.values()
    assert abs(end - time.time() - 365 * DAY) < 60
    kept = server.machine.host.read(STATE) or ""
    assert (server.machine.host.access(STATE) or Access(0)).mode == 0o600
    secrets = (password(ended), "api token of alice")
    assert [it for it in secrets if it in kept or it in str(server.machine.ckan.commands)] == []
    assert ended.out.count(password(ended)) == 1


def test_days_output_and_json(server: CommandLine, ckan: Ckan) -> None:
    made = server("token", "--json", "create", "alice", "--days", "7", "--output", "own.zip").json
    assert (made["user"], made["file"], made["hostname"]) == ("alice", "/out/own.zip", "dcor.example.org")
    assert "api token of alice" in read(server, "/out/own.zip", made["password"]).values()
    assert abs(made["expires"] - time.time() - 7 * DAY) < 60
    assert list(ckan.tokens.values()) == [made["expires"]]
    assert server("token", "create", "--days", "2", "--output", "/out/other", "alice").code == 0


@pytest.mark.parametrize("days", ["0", "-1", "36501", "x", "1.5"])
def test_a_number_of_days_that_is_none_is_wrong_usage(server: CommandLine, ckan: Ckan, days: str) -> None:
    assert server("token", "create", "alice", f"--days={days}").code == 2
    assert_nothing_was_made(server, ckan)


@pytest.mark.parametrize("arguments", [(), ("create",), ("revoke",), ("list", "--days", "1"), ("make", "alice")])
def test_wrong_usage_changes_nothing(server: CommandLine, ckan: Ckan, arguments: tuple[str, ...]) -> None:
    assert server("token", *arguments).code == 2
    assert_nothing_was_made(server, ckan)


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("nobody", "The user nobody is missing.\n    A hint.\n"),
        (
            "../alice",
            "The user '../alice' is not a name (2 to 100 lowercase letters a-z, digits, hyphens and underscores).\n",
        ),
        ("carol", "The user carol is deleted.\n    A hint.\n"),
    ],
)
def test_who_is_no_user_is_said_in_a_sentence(server: CommandLine, ckan: Ckan, user: str, said: str) -> None:
    ended = server("token", "create", user)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == f"dcor-server: {said}"
    assert_nothing_was_made(server, ckan)


def test_what_is_in_the_way_is_left_alone_before_ckan_is_asked(server: CommandLine, ckan: Ckan) -> None:
    server.machine.host.write(FILE, "old", Access(0o644))
    before = list(server.machine.ckan.commands)
    for output_file, said in ((FILE, "exists, and is not overwritten"), ("/out", "is a directory")):
        ended = server("token", "create", "alice", "--output", output_file)
        assert (ended.code, said in ended.err, ended.out) == (1, True, "")
    assert server("token", "create", "alice", "--output", "/missing/x").code == 1
    assert (server.machine.host.read(FILE), server.machine.ckan.commands) == ("old", before)
    assert_nothing_was_made(server, ckan, "alice.dcor-access")


def test_without_room_nothing_is_made(server: CommandLine, ckan: Ckan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda host, path: 0)
    assert "and 1 MiB are needed" in server("token", "create", "alice").err
    assert_nothing_was_made(server, ckan)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device"), DcorError("no")])
def test_a_file_that_cannot_be_written_leaves_no_token(
    server: CommandLine, ckan: Ckan, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        assert len(ckan.tokens) == 1
        raise error

    monkeypatch.setattr(exclusive_file, "_write", fail)
    ended = server("token", "create", "alice")
    assert (ended.code, "Traceback" in ended.err, "password" in ended.out) == (1, False, False)
    assert_nothing_was_made(server, ckan)


def test_a_token_that_ckan_does_not_revoke_then_stays_on_record(
    server: CommandLine, ckan: Ckan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DcorError("full")

    def unanswered(*_: object) -> None:
        raise DcorError("CKAN does not answer")

    monkeypatch.setattr(exclusive_file, "_write", fail)
    monkeypatch.setattr(token_making, "revoke", unanswered)
    assert server("token", "create", "alice").err.startswith("dcor-server: full")
    assert len(server("token", "list", "--json").json) == len(ckan.tokens) == 1


def test_without_a_terminal_the_password_is_written_only_if_that_is_wished(
    server: CommandLine, ckan: Ckan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "is_seen", lambda: False)
    for arguments in (("create", "alice"), ("create", "alice", "--json"), ("reissue",)):
        ended = server("token", *arguments)
        assert (ended.code, "--show-password" in ended.err) == (1, True)
    assert_nothing_was_made(server, ckan)
    assert password(server("token", "create", "alice", "--show-password"))


def test_a_certificate_without_the_name_is_refused(server: CommandLine, ckan: Ckan) -> None:
    SelfSignedCertificate("other.example.org").apply(server.machine.host)
    ended = server("token", "create", "alice")
    assert (ended.code, "The commonName of the certificate in" in ended.err) == (1, True)
    assert_nothing_was_made(server, ckan)


def test_the_list_has_dates_last_use_and_fingerprint(server: CommandLine, ckan: Ckan) -> None:
    assert server("token", "list").lines == ["There is no access token."]
    server("token", "create", "alice")
    server("token", "create", "bob", "--days", "1")
    first, second = server("token", "list", "--json").json
    assert (first["user"], second["user"], first["used"], first["expired"]) == ("alice", "bob", None, False)
    assert "api_token" not in first
    host = server.machine.host
    assert first["fingerprint"] == fingerprint(host, settings_file.load(host))
    ckan.used[issued.read(host)[0].api_token] = 1795780800
    lines = server("token", "list").lines
    assert lines[0].startswith(f"{first['id']}  alice: made on ")
    assert lines[0].endswith("used last on 2026-11-27")
    assert lines[1] == f"    for dcor.example.org, certificate {first['fingerprint']}"
    assert lines[2].endswith("never used")


def test_a_token_whose_time_is_over_is_listed_as_expired_and_not_as_outdated(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    server("token", "create", "alice", "--days", "1")
    new_certificate(server)
    later = issued.now() + 2 * DAY
    monkeypatch.setattr(issued, "now", lambda: later)
    assert ", expired on " in server("token", "list").lines[0]
    assert server("token", "list", "--outdated").lines == ["No access token is outdated."]


def test_a_token_is_revoked_by_its_id(server: CommandLine, ckan: Ckan) -> None:
    server("token", "create", "alice")
    server("token", "create", "bob")
    first, second = server("token", "list", "--json").json
    assert server("token", "revoke", first["id"]).lines == [f"The access token {first['id']} of alice is revoked."]
    assert [it["id"] for it in server("token", "list", "--json").json] == [second["id"]]
    assert len(ckan.tokens) == 1
    for identity in (first["id"], "alice"):
        ended = server("token", "revoke", identity)
        assert (ended.code, len(ended.err.splitlines())) == (1, 2)


def test_what_a_user_has_revoked_in_ckan_is_not_listed_any_more(server: CommandLine, ckan: Ckan) -> None:
    server("token", "create", "alice")
    ckan.tokens.clear()
    assert server("token", "list", "--json").json == []
    new_certificate(server)
    assert server("token", "reissue").lines == ["No access token is outdated, so none was made."]
    assert_nothing_was_made(server, ckan, "alice.dcor-access")


def test_after_a_change_of_the_certificate_new_files_are_made_with_the_old_ends(
    server: CommandLine, ckan: Ckan
) -> None:
    server("token", "create", "alice", "--days", "9")
    server("token", "create", "bob", "--days", "5")
    assert server("token", "list", "--outdated").lines == ["No access token is outdated."]
    assert server("token", "reissue").lines == ["No access token is outdated, so none was made."]
    assert notices(server) == []
    new_certificate(server)
    old = server("token", "list", "--outdated", "--json").json
    assert [it["user"] for it in old] == ["alice", "bob"]
    (notice,) = notices(server)
    assert (notice.file, "dcor-server token reissue" in notice.hint) == (STATE, True)
    assert notice.message.startswith("lists 2 access tokens with another certificate or host name")
    ended = server("token", "reissue", "alice")
    (new,) = (it for it in server("token", "list", "--json").json if it["user"] == "alice")
    assert (new["expires"], new["id"] != old[0]["id"]) == (old[0]["expires"], True)
    path = f"/out/alice-{new['id']}.dcor-access"
    assert (server.machine.host.read(PAIR.certificate) or "") in read(server, path, password(ended))["server.cert"]
    assert notices(server)[0].message.startswith("lists an access token with")
    server("token", "reissue", "--days", "2")
    bob = server("token", "list", "--json").json[1]
    assert (bob["user"], bob["expires"] < old[1]["expires"]) == ("bob", True)
    assert notices(server) == []
    assert len(ckan.tokens) == 2


def test_another_host_name_makes_tokens_void(server: CommandLine) -> None:
    server("token", "create", "alice")
    set_up(server, "new.example.org")
    assert [it["hostname"] for it in server("token", "list", "--outdated", "--json").json] == ["dcor.example.org"]
    assert server("token", "reissue").code == 0
    assert [it["hostname"] for it in server("token", "list", "--json").json] == ["new.example.org"]


def test_a_damaged_record_is_empty(server: CommandLine) -> None:
    server.machine.host.write(STATE, '[{"id": "other fields"}]', Access(0o600))
    assert server("token", "list").lines == ["There is no access token."]


def test_status_names_void_tokens_and_its_exit_code_stays(server: CommandLine) -> None:
    server.converged()
    server("token", "create", "alice")
    new_certificate(server)
    ended = server("status", "--json")
    assert [it["file"] for it in ended.json["notices"]] == [STATE]
    assert ended.code == 0
    server.machine.host.remove(PAIR.certificate)
    assert notices(server) == []


def test_a_termination_is_an_interruption() -> None:
    """Else it would leave a token of which nobody has the file."""
    assert tokens.VERB.changes_machine
