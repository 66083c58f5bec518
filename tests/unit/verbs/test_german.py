"""The commands about certificates, access tokens, users and circles on a German terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dcor_pkg.answers.settings import ACME
from dcor_pkg.machine import http_request, language, lock, output
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import LOGS
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.tls import acme_state
from dcor_pkg.tls.self_signed import PAIR
from tests.unit.command_line import CommandLine
from tests.unit.tls.authority import CHAIN, INTERMEDIATE, KEY, OTHER_KEY, pem
from tests.unit.verbs.test_certificate import GIVEN, GIVEN_KEY, give
from tests.unit.verbs.test_tokens import Ckan
from tests.unit.verbs.test_user import CREATE, CREATED, LINK, USER

REFUSAL = "The key authorization file from the server did not match"


@pytest.fixture
def server(dcor_server: CommandLine, german: None, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Return the command on a German terminal of a server that is set up."""
    dcor_server.converged()
    dcor_server.machine.ckan.commands.clear()
    monkeypatch.setattr(output, "is_seen", lambda: True)
    dcor_server.machine.host.make_directory("/out", Access(0o755))
    monkeypatch.setattr(Path, "cwd", lambda: Path("/out"))
    return dcor_server


def ckan_says(server: CommandLine, module: str, content: Any) -> None:
    server.machine.ckan.results[module] = content


def refused(reason: str, hint: str = "", **about: str) -> dict[str, Any]:
    """Return what CKAN's side prints (dcor_runtime.requested)."""
    return {"refused": [{"text": text, "about": about} for text in (reason, hint)]}


def test_users(server: CommandLine) -> None:
    ckan_says(server, "users", CREATED)
    ended = server(*CREATE)
    assert ended.lines == [
        "Der Benutzer alice wurde angelegt. Mit diesem Link wählt alice ein Passwort, einmal und innerhalb von 3 Tagen:",
        f"    {LINK}",
    ]
    assert ended.err == (
        "dcor-server: Es wurde keine Mail verschickt, weil die Einstellung mail-relay leer ist.\n"
        "    Geben Sie den Link selbst an den Benutzer weiter.\n"
    )
    ckan_says(server, "users", {"users": [USER, {**USER, "sysadmin": False, "state": "disabled", "last_active": None}]})
    assert server("user", "list").lines == [
        "alice  Alice ?[31m <alice@example.org>, aktiv, Sysadmin, zuletzt gesehen am 2026-11-02",
        "alice  Alice ?[31m <alice@example.org>, gesperrt, nie gesehen",
    ]
    ckan_says(server, "users", {"user": "alice", "changed": False, "tokens": 2})
    assert server("user", "disable", "alice").lines == [
        "alice ist bereits gesperrt.",
        "Sitzungen sind nicht mehr gültig; gelöschte API-Tokens: 2.",
    ]
    assert server("user", "sysadmin", "alice", "on").lines == ["alice ist bereits Sysadmin."]


def test_circles(server: CommandLine) -> None:
    ckan_says(server, "circles", {"circle": "beads", "admin": "alice"})
    assert server("circle", "create", "beads", "--admin", "alice").lines == [
        "Der Kreis beads wurde angelegt; sein Admin ist alice."
    ]
    ckan_says(server, "circles", {"circle": "beads", "user": "alice", "role": "editor", "former": "admin"})
    assert server("circle", "add", "beads", "alice", "--role", "editor").lines == [
        "alice ist im Kreis beads als editor, nicht mehr als admin."
    ]


def test_access_tokens(server: CommandLine) -> None:
    ckan_says(server, "access_tokens", Ckan())
    assert server("token", "list").lines == ["Es gibt kein Zugriffstoken."]
    file, password, advice = server("token", "create", "alice").lines
    assert file.startswith("/out/alice.dcor-access: Zugriffstoken ")
    assert " von alice, gültig bis 20" in file
    assert password.startswith("Sein Passwort wird nur jetzt gezeigt: ")
    assert advice == "Übergeben Sie Datei und Passwort auf zwei verschiedenen Wegen."
    made, certificate = server("token", "list").lines
    assert (" alice: ausgestellt am " in made, ", läuft ab am " in made, ", nie benutzt" in made) == (True, True, True)
    assert certificate.startswith("    für dcor.example.org, Zertifikat ")
    (token,) = server("token", "list", "--json").json
    assert server("token", "revoke", token["id"]).lines == [
        f"Das Zugriffstoken {token['id']} von alice ist widerrufen."
    ]


def test_the_certificate(server: CommandLine) -> None:
    ended = server("certificate", "show")
    assert [line[:13].strip() for line in ended.lines] == [
        *("Art", "Namen", "Inhaber", "Aussteller", "gültig ab", "gültig bis", "Tage übrig", "SHA-256", "Datei", "Kette")
    ]
    assert ended.lines[-1] == "Kette        vollständig"
    PAIR.write(server.machine.host, INTERMEDIATE.issue(KEY, begin=-81, end=9), pem(KEY))
    ended = server("certificate", "show")
    assert "Problem      läuft in 8 Tagen ab" in ended.lines
    assert "Kette        unvollständig: das Zertifikat von CN=intermediate.example.org fehlt" in ended.lines
    server.machine.host.write(PAIR.key, pem(KEY), Access(0o644))
    drift = "sein Schlüssel ist root:root 0644, nicht root:root 0600"
    assert f"Problem      {drift}" in server("certificate", "show").lines


def test_what_a_converge_says_and_records_on_the_way_is_english(server: CommandLine) -> None:
    PAIR.write(server.machine.host, INTERMEDIATE.issue(OTHER_KEY), pem(KEY))
    ended = server("certificate", "renew")
    assert ended.code == 0, ended
    assert ended.lines[-1].startswith("Die Programme der Benutzer müssen diesem Server vertrauen: https://dcor")
    assert " unchanged" in ended.lines[-2]
    give(server)
    server.machine.packages.distrust = ""
    assert server("certificate", "import", GIVEN, GIVEN_KEY).code == 0
    text = server.machine.host.read(f"{LOGS}/converge.log") or ""
    assert "* certificate: is missing" in text
    assert "fehlt" not in text


INVALID = {
    "key of another": (CHAIN, pem(OTHER_KEY), "ist nicht der Schlüssel des ersten Zertifikats in /srv/chain.pem"),
    "encrypted key": (CHAIN, pem(KEY, b"hush"), "ist mit einer Passphrase verschlüsselt"),
    "expired": (INTERMEDIATE.issue(KEY, end=0) + INTERMEDIATE.pem, pem(KEY), "ihr Zertifikat Nummer 1 ist am "),
    "other host": (INTERMEDIATE.issue(KEY, "a.example.org"), pem(KEY), "gilt nicht für dcor.example.org"),
    "binary": ("0\udc82\udcff", pem(KEY), "enthält kein Zertifikat in PEM"),
    "binary key": (CHAIN, "0\udc82\udcff", "enthält keinen privaten Schlüssel in PEM"),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_certificate_that_cannot_be_served(server: CommandLine, name: str) -> None:
    chain, key, reason = INVALID[name]
    give(server, chain, key)
    ended = server("certificate", "import", GIVEN, GIVEN_KEY)
    assert (ended.code, ended.out) == (1, "")
    assert reason in ended.err
    with_json = server("certificate", "import", GIVEN, GIVEN_KEY, "--json")
    assert (with_json.code, reason in with_json.err) == (1, False)


def test_a_refusal_of_the_authority_is_recorded_in_english_and_said_in_german(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_request, "get", lambda *_: Answer(200, '{"newOrder": "https://acme.example.org/order"}'))
    server.machine.certbot.refusal = REFUSAL
    server("set", f"certificate={ACME}", "acme-directory=https://acme.example.org/directory")
    ended = server("certificate", "renew")
    wanted = f"https://acme.example.org/directory hat kein Zertifikat ausgestellt: {REFUSAL}"
    assert (ended.code, f"dcor-server: {wanted}\n    Alles, was certbot sagt: /" in ended.err) == (1, True), ended
    assert f"Problem      ist selbstsigniert, denn {wanted}" in server("certificate", "show").lines
    english = f"https://acme.example.org/directory has issued no certificate: {REFUSAL}"
    assert str(acme_state.read(server.machine.host).reason) == english
    assert f"is self-signed, since {english}" in server("status").out
    assert server("certificate", "show", "--json").json["problem"] == f"is self-signed, since {english}"
    server.machine.certbot.refusal = ""
    server.machine.certbot.issue = lambda request: INTERMEDIATE.issue(request, "other.example.org") + INTERMEDIATE.pem
    assert "das nicht zu verwenden ist: es gilt nicht für dcor.example.org" in server("certificate", "renew").err


REFUSED = (
    (("user", "create", "Alice", "--email", "a@b.c"), "Der Name 'Alice' ist kein Name (2 bis 100 Kleinbuchstaben"),
    (("user", "create", "login", "--email", "a@b.c"), "Der Name 'login' ist der Name einer Seite."),
    (("user", "create", "alice", "--email", "alice"), "Die Adresse 'alice' ist keine E-Mail-Adresse."),
    (
        ("user", "create", "alice", "--email", "a@b.c", "--full-name", "A\x1b"),
        "ist keine Zeile aus 1 bis 100 druckbaren",
    ),
    (("user", "disable", "a b"), "Der Name 'a b' ist kein Name."),
    (("circle", "create", "new"), "Der Name 'new' ist der Name einer Seite."),
    (("circle", "add", "a b", "alice", "--role", "admin"), "Der Kreis 'a b' ist kein Name."),
    (("circle", "add", "beads", "ä", "--role", "admin"), "Der Benutzer 'ä' ist kein Name."),
    (("token", "create", "../alice"), "Der Benutzer '../alice' ist kein Name (2 bis"),
    (
        ("token", "create", "alice", "--output", "/out"),
        "/out ist ein Verzeichnis.\n    Nennen Sie eine neue Datei darin",
    ),
    (
        ("token", "create", "alice", "--output", "/srv/there"),
        "/srv/there existiert und wird nicht überschrieben.\n    Ver",
    ),
    (("token", "create", "alice", "--output", "/none/x"), "/none/x kann nicht angelegt werden: Datei oder Verzeichnis"),
    (("token", "revoke", "0"), "Es gibt kein Zugriffstoken 0.\n    dcor-server token list zeigt die Zugriffstokens."),
    (
        ("certificate", "import", "/srv", "/srv/there"),
        "kann nicht gelesen werden: es ist ein Verzeichnis, keine reguläre",
    ),
    (("certificate", "import", "/none", "/none"), "die Datei existiert nicht\n    Geben Sie ihren absoluten Pfad an."),
)


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=[" ".join(it[0]) for it in REFUSED])
def test_what_is_invalid(server: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    server.machine.host.write("/srv/there", "", Access(0o644))
    ended = server(*arguments)
    assert (ended.code in (1, 2), ended.out, server.machine.ckan.commands) == (True, "", [])
    assert said in ended.err


def test_what_ckan_refuses(server: CommandLine) -> None:
    hint = "For a new link: dcor-server user reset-link {user}"
    ckan_says(server, "users", refused("There is a user {user} already.", hint, user="alice"))
    german = "Es gibt bereits einen Benutzer alice.\n    Für einen neuen Link: dcor-server user reset-link alice\n"
    assert server(*CREATE).err == f"dcor-server: {german}"
    english = "There is a user alice already.\n    For a new link: dcor-server user reset-link alice\n"
    assert server(*CREATE, "--json").err == f"dcor-server: {english}"
    ckan_says(server, "circles", refused("There is no circle {name}.", name="beads"))
    ended = server("circle", "add", "beads", "alice", "--role", "editor")
    assert ended.err == "dcor-server: Es gibt keinen Kreis beads.\n"
    ckan_says(server, "users", refused("CKAN does not accept it ({said}).", said="Email: {odd}"))
    assert server(*CREATE).err == "dcor-server: CKAN nimmt es nicht an (Email: {odd}).\n"


def test_a_release_from_before_refuses_in_whole_english_sentences(server: CommandLine) -> None:
    ckan_says(server, "users", {"refused": ["There is a user {alice} already.", ""]})
    assert server(*CREATE).err == "dcor-server: There is a user {alice} already.\n"


def test_who_comes_too_early_or_is_not_root_reads_german(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    host = server.machine.host
    with lock.held(host), language.spoken("de"), pytest.raises(lock.Busy) as busy, lock.held(host, 0.0):
        pass
    assert busy.value.reason.startswith("Ein anderer Befehl von dcor-server läuft: »")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert server("token", "list").err.startswith("dcor-server: »dcor-server token« muss von root aufgerufen werden.\n")
    assert server("status").err.startswith("dcor-server: `dcor-server status` has to be run by root.\n")


def test_other_commands_say_the_same_on_every_terminal(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    PAIR.write(server.machine.host, INTERMEDIATE.issue(OTHER_KEY), pem(KEY))
    german = server("check").lines
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert server("check").lines == german
    assert any("does not belong to its key" in line for line in german)
