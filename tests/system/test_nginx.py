"""nginx on an installed server, with the real CKAN and the real object store behind it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from dcor_dev.machine import Machine
from users import User, make_user
from website import CURL, SITE

#: pages that link to others
PAGES = (
    "/",
    "/about",
    "/dataset/",
    "/group/",
    "/organization/",
    "/user/login",
    "/user/reset",
    "/contact",
    "/de/dataset/",
)
STATUS = "--output /dev/null --write-out '%{http_code}'"

SIGN_IN = """
jar=$(mktemp) page=$(mktemp)
curl() {{ command {curl} --cookie "$jar" --cookie-jar "$jar" --location "$@"; }}
curl {site}/user/login > "$page"
token=$(grep -o 'name="_csrf_token" value="[^"]*"' "$page" | head -1 | cut -d'"' -f4)
curl --referer {site}/user/login --data-urlencode "_csrf_token=$token" --data-urlencode login={name} \
    --data-urlencode "password@{password}" {site}/user/login > "$page"
grep -q '/user/{name}' "$page"
"""


def ask(server: Machine, target: str, options: str = "") -> str:
    """Return what curl prints for a page."""
    return server.shell(f"{CURL} {options} '{SITE}{target}'")


def signed_in(server: Machine, someone: User, script: str) -> str:
    """Sign in as a browser does, and run a script in which `curl` is that browser."""
    start = SIGN_IN.format(curl=CURL, site=SITE, name=someone.name, password=someone.password)
    return server.shell(start + script)


def test_pages_and_all_that_they_link_to_exist(server: Machine) -> None:
    """CKAN generates the names of assets and links, and nginx has to pass on all of them."""
    linked = {link for page in PAGES for link in re.findall(r'(?:src|href)="(/[^"#]*)"', ask(server, page))}
    linked |= {link for link in re.findall(r"url\(['\"]?(/[^'\")]+)", ask(server, "/")) if link}
    assert len(linked) > 20
    assert {link: ask(server, link.replace("&amp;", "&"), STATUS) for link in linked} == dict.fromkeys(linked, "200")


def test_guests_get_a_session_with_a_form_only(server: Machine) -> None:
    shown = {page: ask(server, page, "--output /dev/null --dump-header -").lower() for page in PAGES}
    assert {page for page, headers in shown.items() if "set-cookie: dcor=" in headers} == {"/user/login", "/user/reset"}
    assert all("cache-control: private, no-cache" in headers for headers in shown.values())


@pytest.fixture(scope="module")
def people(server: Machine) -> tuple[User, User]:
    """Return two users; CKAN takes 9 s to create one."""
    return make_user(server, "one"), make_user(server, "other")


def test_users_get_their_own_pages_and_nobody_else_does(server: Machine, people: tuple[User, User]) -> None:
    one, other = people
    for page in ("/", "/dataset/", "/organization/"):
        assert one.name not in ask(server, page)
        assert one.name in signed_in(server, one, f"curl {SITE}{page}")
        assert one.name not in ask(server, page)
        theirs = signed_in(server, other, f"curl {SITE}{page}")
        assert (other.name in theirs, one.name in theirs) == (True, False)


def test_a_request_with_a_token_is_not_a_guests(server: Machine, people: tuple[User, User]) -> None:
    someone, _ = people
    page = server.shell(f'{CURL} --header "Authorization: $(cat {someone.token})" {SITE}/dataset/')
    assert (someone.name in page, someone.name in ask(server, "/dataset/")) == (True, False)


def test_http2_is_available(server: Machine) -> None:
    assert ask(server, "/about", "--output /dev/null --write-out '%{http_version}'") == "2"


def test_a_request_with_another_host_name_gets_no_answer(server: Machine) -> None:
    """curl exits with 35 if the TLS handshake fails, with 56 if the connection is reset (nginx does so for 444)."""
    by_address = server.run("curl", "--silent", "--insecure", "https://127.0.0.1/", check=False)
    plain = server.run("curl", "--silent", "--header", "Host: other.example.org", "http://127.0.0.1/", check=False)
    assert (by_address.returncode, plain.returncode) == (35, 56)
    assert server.shell(f"curl --silent {STATUS} http://dcor.example.org/dataset/") == "301"


def test_reason_phrases_reach_dcor_aid(server: Machine) -> None:
    head = ask(server, "/api/3/action/package_show?id=none", "--http1.1 --output /dev/null --dump-header -")
    assert head.startswith("HTTP/1.1 404 NOT FOUND")
    outdated = ask(server, "/api/3/action/status_show", "--http1.1 --user-agent DCOR-Aid/0.16.10 --dump-header -")
    assert outdated.startswith("HTTP/1.1 400 Bad Request")
    assert outdated.endswith("outdated.")


def test_requests_wait_while_the_store_restarts(server: Machine) -> None:
    """They are answered when the store has started again, without an error."""
    missing = f"{SITE}/circle-{'0' * 8}-0000-0000-0000-{'0' * 12}/resource/000/000/{'0' * 30}"
    asked = f"for i in $(seq 40); do {CURL} {STATUS} {missing}; echo; sleep 0.1; done"
    server.shell("systemctl restart --no-block dcor-object-store.service")
    assert Counter(server.shell(asked).split()) == {"403": 40}
    assert server.failed_units() == []


def test_nginx_has_logged_no_errors(server: Machine) -> None:
    """Files that it may not read or write would appear here; sockets are missing while their servers start."""
    lines = server.shell("cat /var/log/nginx/error.log").splitlines()
    assert [
        line for line in lines if re.search(r"\[(crit|alert|emerg)\]", line) and "(2: No such file" not in line
    ] == []
    assert "warn" not in server.run("nginx", "-t").stderr
