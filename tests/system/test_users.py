"""Users and circles from the command line: links for passwords, the end of sessions and tokens, and what is invalid.

All tests share a machine of their own, because the setting mail-relay is changed; they run in their order.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates_and_mail import MAIL_SINK
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import INSIDE, run_client
from website import CURL, SITE, wait_for_page

#: of an attacker, who hopes that a link is made with it
FOREIGN = "evil.example.net"
LINK = re.compile(r"https://[^\s/]+/user/reset/[0-9a-f-]{36}\?key=[0-9a-f]{32}-[0-9]+")
DAY = 24 * 3600


@pytest.fixture(scope="module")
def machine(suite: str, debs: list[Path], package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server with a browser, and a mail relay that keeps mails in a file."""
    with Machine("users", layers.with_browser(suite, debs), read_only=package_mounts) as machine:
        wait_for_page(machine)
        machine.write("/srv/sink.py", MAIL_SINK)
        machine.shell("systemd-run --quiet --unit=mail-sink python3 /srv/sink.py")
        yield machine


def dcor(machine: Machine, *arguments: str, code: int = 0) -> Any:
    """Run the command, and return its JSON, or what it writes to standard error if it fails."""
    done = machine.run("dcor-server", *arguments, "--json", check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def create(machine: Machine, name: str, *options: str) -> Any:
    """Create a user, and return the result with the link."""
    return dcor(machine, "user", "create", name, "--email", f"{name}@example.org", *options)


def status(machine: Machine, target: str, *options: str) -> str:
    """Return the status of an answer, 000 if there is none."""
    asked = (*CURL.split(), "--output", "/dev/null", "--write-out", "%{http_code}", *options, target)
    return machine.run(*asked, check=False).stdout


def page_of_link(machine: Machine, link: str) -> str:
    """Return the status of the page of a link, as CKAN makes it now."""
    return status(machine, link, "--cookie", "dcor=x")


def own_account(machine: Machine, name: str, *options: str) -> str:
    """Return the status of the answer to a question that only the user, signed in, may ask."""
    return status(machine, f"{SITE}/api/3/action/user_show?id={name}", *options)


def sql(machine: Machine, text: str) -> str:
    """Run SQL in CKAN's database."""
    return machine.run(
        *("runuser", "-u", "postgres", "--", "psql", "--tuples-only", "--no-align", "ckan_default", "--command", text)
    ).stdout.strip()


def moved(machine: Machine, name: str, link: str, seconds: int) -> str:
    """Let the link of a user expire that much earlier, as if it had been made then, and return it."""
    begin, _, moment = link.rpartition("-")
    earlier = f"{begin}-{int(moment) - seconds}"
    sql(machine, f"UPDATE \"user\" SET reset_key = '{earlier.partition('key=')[2]}' WHERE name = '{name}'")
    return earlier


def test_no_account_is_there_after_an_installation(machine: Machine) -> None:
    assert dcor(machine, "user", "list") == {"users": []}
    assert "dcor-server user create NAME" in machine.run("dcor-server", "user", "list").stdout


def test_a_user_chooses_a_password_with_the_link_and_is_signed_in_until_disabled(machine: Machine) -> None:
    made = create(machine, "alice", "--sysadmin", "--full-name", "Alice Ä")
    assert LINK.fullmatch(made["link"])
    assert made["link"].startswith(f"{SITE}/user/reset/")
    assert made["mailed"] is False
    password = f"{INSIDE}/alice.password"
    machine.write(password, secrets.token_urlsafe(16), 0o600)
    options = ("--user", "alice", "--password", password, "--link", made["link"])
    seen = run_client(machine, "choose_password", *options, python="/usr/bin/python3")
    assert "Your password has been reset" in seen["chosen"]
    assert "Invalid reset key" in seen["again"]
    (alice,) = dcor(machine, "user", "list")["users"]
    assert (alice["name"], alice["full_name"], alice["sysadmin"], alice["state"]) == (
        "alice",
        "Alice Ä",
        True,
        "active",
    )
    token = machine.run("ckan", "user", "token", "add", "alice", "test", "-q").stdout.strip().splitlines()[-1]
    by_session, by_token = ("--cookie", seen["cookie"]), ("--header", f"Authorization: {token}")
    assert [own_account(machine, "alice", *by) for by in (by_session, by_token, ())] == ["200", "200", "403"]
    assert dcor(machine, "user", "disable", "alice") == {"user": "alice", "changed": True, "tokens": 1}
    assert [own_account(machine, "alice", *by) for by in (by_session, by_token)] == ["403", "403"]
    assert "is disabled" in dcor(machine, "user", "reset-link", "alice", code=1)
    assert dcor(machine, "user", "enable", "alice")["changed"] is True
    assert [own_account(machine, "alice", *by) for by in (by_session, by_token)] == ["403", "403"]
    link = dcor(machine, "user", "reset-link", "alice")["link"]
    seen = run_client(machine, "choose_password", *options[:-1], link, python="/usr/bin/python3")
    assert own_account(machine, "alice", "--cookie", seen["cookie"]) == "200"


def test_a_link_is_valid_for_three_days_and_the_former_one_is_void(machine: Machine) -> None:
    first = create(machine, "bob")["link"]
    second = dcor(machine, "user", "reset-link", "bob")["link"]
    assert [page_of_link(machine, link) for link in (first, second)] == ["403", "200"]
    assert page_of_link(machine, moved(machine, "bob", second, 3 * DAY - 600)) == "200"
    expired = moved(machine, "bob", second, 3 * DAY + 1)
    assert page_of_link(machine, expired) == "403"


def test_the_key_of_a_link_changes_nothing_by_the_api(machine: Machine) -> None:
    link = dcor(machine, "user", "reset-link", "bob")["link"]
    identity, _, key = link.rpartition("/")[2].partition("?key=")
    body = {"id": identity, "reset_key": key, "password": "x" * 20, "email": "x@example.net"}
    asked = ("--header", "Content-Type: application/json", "--data", json.dumps(body))
    assert status(machine, f"{SITE}/api/3/action/user_update", *asked) == "403"
    assert sql(machine, "SELECT email FROM \"user\" WHERE name = 'bob'") == "bob@example.org"


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_a_host_that_a_request_names_is_in_no_link(machine: Machine, header: str) -> None:
    """Neither in one that the command makes, nor in one that CKAN mails because somebody asks for it."""
    dcor(machine, "set", "mail-relay=localhost:2525")
    machine.shell("rm -f /srv/mails")
    named = ("--header", f"{header}: {FOREIGN}")
    form = machine.run(*CURL.split(), "--cookie-jar", "/srv/jar", f"{SITE}/user/reset").stdout
    token = form.partition('name="_csrf_token" content="')[2].partition('"')[0]
    sent = ("--cookie", "/srv/jar", "--referer", f"{SITE}/user/reset", "--data", "user=bob")
    answer = status(machine, f"{SITE}/user/reset", *named, *sent, "--data-urlencode", f"_csrf_token={token}")
    made = dcor(machine, "user", "reset-link", "bob")
    assert made["link"].startswith(f"{SITE}/user/reset/")
    assert made["mailed"] is True
    expected = 2 if answer == "302" else 1
    machine.shell(f"until [ $(grep --count '^To: ' /srv/mails) -ge {expected} ]; do sleep 0.1; done", timeout=60)
    mails = machine.path("/srv/mails").read_text()
    texts = [mails.replace("=\n", "").replace("=3D", "="), *map(decoded, re.findall(r"\n\n((?:[\w+/=]+\n)+)", mails))]
    links = {link for text in texts for link in LINK.findall(text)}
    assert len(links) == expected
    assert {link.split("/")[2] for link in links} == {"dcor.example.org"}
    assert FOREIGN not in "".join(texts)
    assert [it for it in ("With this link you choose", "Mit diesem Link") if it not in "".join(texts)] == []


def decoded(text: str) -> str:
    """Return a text in base64; an empty one if it is something else."""
    try:
        return base64.b64decode(text, validate=False).decode()
    except ValueError:
        return ""


def test_a_relay_that_is_down_does_not_lose_the_link(machine: Machine) -> None:
    machine.shell("systemctl stop mail-sink")
    made = machine.run("dcor-server", "user", "reset-link", "bob")
    assert LINK.search(made.stdout)
    assert "did not accept a mail to bob@example.org" in made.stderr
    dcor(machine, "set", "mail-relay=")


def test_a_sysadmin_is_made_and_unmade(machine: Machine) -> None:
    for word, is_sysadmin in (("on", True), ("off", False)):
        assert dcor(machine, "user", "sysadmin", "bob", word)["changed"] is True
        assert {it["name"]: it["sysadmin"] for it in dcor(machine, "user", "list")["users"]}["bob"] is is_sysadmin


def members(machine: Machine, circle: str) -> dict[str, str]:
    """Return the roles of the users in a circle."""
    text = sql(
        machine,
        'SELECT u.name, m.capacity FROM member m JOIN "group" g ON g.id = m.group_id JOIN "user" u ON u.id = m.table_id '
        f"WHERE g.name = '{circle}' AND g.is_organization AND m.state = 'active'",
    )
    return dict(line.split("|") for line in text.splitlines())


def test_circles_are_made_once(machine: Machine) -> None:
    assert dcor(machine, "circle", "create", "beads", "--admin", "bob") == {"circle": "beads", "admin": "bob"}
    dcor(machine, "circle", "create", "empty")
    assert (members(machine, "beads"), members(machine, "empty")) == ({"bob": "admin"}, {})
    assert "There is a circle beads already" in dcor(machine, "circle", "create", "beads", code=1)
    assert dcor(machine, "circle", "add", "beads", "alice", "--role", "member")["former"] is None
    assert "already, as member" in dcor(machine, "circle", "add", "beads", "alice", "--role", "member", code=1)
    assert dcor(machine, "circle", "add", "beads", "alice", "--role", "editor")["former"] == "member"
    assert members(machine, "beads") == {"bob": "admin", "alice": "editor"}
    assert status(machine, f"{SITE}/organization/beads", "--cookie", "dcor=x") == "200"


def test_a_german_terminal_reads_german(machine: Machine) -> None:
    def say(*arguments: str) -> str:
        done = machine.run("env", "LC_ALL=de_DE.UTF-8", "dcor-server", *arguments, check=False)
        return done.stdout + done.stderr

    assert "Es gibt bereits einen Benutzer bob.\n" in say("user", "create", "bob", "--email", "new@example.org")
    assert "Der Benutzer alice ist bereits im Kreis beads, als editor." in say(
        *("circle", "add", "beads", "alice", "--role", "editor")
    )
    assert "Es gibt keinen Benutzer nobody.\n" in say("token", "create", "nobody", "--show-password")
    assert "gültig bis" in say("certificate", "show")
    assert "There is a user bob already.\n" in say("user", "create", "bob", "--email", "new@example.org", "--json")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("user", "create", "bob", "--email", "new@example.org"), 1, "There is a user bob already"),
        (("user", "create", "carol", "--email", "BOB@example.org"), 1, "The user bob has the address"),
        (("user", "create", "Carol", "--email", "c@example.org"), 1, "is not a name"),
        (("user", "create", "login", "--email", "c@example.org"), 1, "is the name of a page"),
        (("user", "create", "carol", "--email", "carol"), 1, "is not an email address"),
        (("user", "create", "carol", "--email", "carol@localhost..org"), 1, "CKAN does not accept it"),
        (("user", "create", "carol"), 2, "--email"),
        (("user", "disable", "nobody"), 1, "There is no user nobody"),
        (("user", "disable", "default"), 1, "the account that CKAN itself works with"),
        (("user", "sysadmin", "bob", "maybe"), 2, "invalid choice"),
        (("circle", "create", "Beads"), 1, "is not a name"),
        (("circle", "create", "other", "--admin", "nobody"), 1, "There is no user nobody"),
        (("circle", "add", "nothing", "bob", "--role", "admin"), 1, "There is no circle nothing"),
        (("circle", "add", "beads", "nobody", "--role", "admin"), 1, "There is no user nobody"),
        (("circle", "add", "beads", "bob", "--role", "owner"), 2, "invalid choice"),
    ],
)
def test_what_is_invalid_changes_nothing(machine: Machine, arguments: tuple[str, ...], code: int, said: str) -> None:
    everything = 'SELECT name, email, state, sysadmin FROM "user" ORDER BY 1', 'SELECT name FROM "group" ORDER BY 1'
    before = [sql(machine, text) for text in everything]
    message = dcor(machine, *arguments, code=code)
    assert said in message
    assert "Traceback" not in message
    assert [sql(machine, text) for text in everything] == before
