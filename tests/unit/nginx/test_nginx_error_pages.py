"""What nginx itself answers: a page in the site's look for browsers, and for programs what they always got."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import error_pages
from dcor_pkg.nginx.error_pages import ErrorPages
from dcor_pkg.nginx.site import MAINTENANCE
from tests.unit.nginx.backends import echo
from tests.unit.nginx.clients import new_address
from tests.unit.nginx.nginx_server import DATASET, NAME, SETTINGS, Answer, NginxServer, opened
from tests.unit.nginx.stored import BUCKET, OBJECT, SIGNED, filer

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
#: what requests (dclab, DCOR-Aid), CKAN's scripts and boto3 send
PROGRAMS: list[Mapping[str, str]] = [
    {"Accept": "*/*"},
    {"Accept": "application/json, text/javascript, */*; q=0.01"},
    {"Accept": "application/json, text/html"},
    {},
]
#: requests that nginx answers itself, with the status
ANSWERED = [
    ("GET", "/dataset/?page=abc", 400),
    ("GET", "/dataset/?q=%00", 400),
    ("GET", "/circle-x/y", 403),
    ("GET", OBJECT.replace("/resource/", "/preview/"), 403),
    ("GET", "/wp-login.php", 404),
    ("GET", "/user/reset/x?key=y", 404),
    ("GET", "/.dcor/error/404", 404),
    ("POST", "/about", 405),
    ("TRACE", "/dataset/", 405),
    ("DELETE", f"/dataset/{DATASET}", 405),
]


@pytest.fixture(autouse=True)
def stored(server: NginxServer) -> None:
    """Let the filer serve objects."""
    server.filer.respond = filer


def is_page(answer: Answer) -> bool:
    """Return whether an answer is the page of its status."""
    pages = [page for page in error_pages.PAGES if page.shown == answer.status]
    right = answer.headers["content-type"] == "text/html" and f"<span>{answer.status}</span>" in answer.text
    return right and any(page.english.title in answer.text and page.german.title in answer.text for page in pages)


def is_of_nginx(answer: Answer) -> bool:
    """Return whether an answer is the short page that nginx contains."""
    return (
        re.fullmatch(r"<html>.*<hr><center>nginx</center>\s*</body>\s*</html>\s*", answer.text, re.DOTALL) is not None
    )


@pytest.mark.parametrize(("method", "target", "status"), ANSWERED)
def test_a_browser_gets_a_page_with_a_way_back(server: NginxServer, method: str, target: str, status: int) -> None:
    answer = server.ask(target, method, BROWSER)
    assert (answer.status, is_page(answer)) == (status, True)
    assert {'href="/"', 'href="/de/"'} <= set(re.findall(r'href="[^"]*"', answer.text))
    policy = answer.headers["content-security-policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert server.ckan.seen == []


@pytest.mark.parametrize(
    ("target", "headers", "status", "title"),
    [
        (f"/dataset/?q={'x' * 9000}", BROWSER, 414, "This address is too long"),
        ("/dataset/", {**BROWSER, "Cookie": f"a={'x' * 9000}"}, 400, "This address is too long"),
        ("/dataset/", {"Cookie": f"a={'x' * 9000}", **BROWSER}, 400, "This address is too long"),
        ("/%zz", BROWSER, 400, "This request is not valid"),
        ("/dataset/%00", BROWSER, 400, "This request is not valid"),
        ("/../../dataset/", BROWSER, 400, "This request is not valid"),
    ],
    ids=["address", "cookie", "cookie first", "escape", "NUL", "parents"],
)
def test_what_nginx_rejects_before_it_has_read_the_headers_gets_a_page(
    server: NginxServer, target: str, headers: Mapping[str, str], status: int, title: str
) -> None:
    answer = server.ask(target, headers=headers)
    assert (answer.status, is_page(answer), title in answer.text) == (status, True, True)
    assert server.ckan.seen == []


@pytest.mark.parametrize(("method", "target", "status"), ANSWERED)
@pytest.mark.parametrize("headers", PROGRAMS)
def test_a_program_gets_what_it_always_got(
    server: NginxServer, method: str, target: str, status: int, headers: Mapping[str, str]
) -> None:
    answer = server.ask(target, method, headers)
    assert (answer.status, is_of_nginx(answer)) == (status, True)


@pytest.mark.parametrize("target", ["/api/4/x", "/api/3/action/x?q=%00", "/de/api/1/action/status_show"])
def test_below_api_nobody_gets_a_page(server: NginxServer, target: str) -> None:
    assert is_of_nginx(server.ask(target, headers=BROWSER))


def test_head_has_the_headers_of_the_page(server: NginxServer) -> None:
    answer = server.ask("/none", "HEAD", BROWSER)
    assert (answer.status, answer.headers["content-type"], answer.body) == (404, "text/html", b"")


def test_an_answer_of_ckan_or_of_the_store_is_passed_on(server: NginxServer) -> None:
    server.ckan.respond = lambda request: ("404 NOT FOUND", {"Content-Type": "text/html"}, b"CKAN's own page")
    server.s3.respond = lambda request: ("403 Forbidden", {"Content-Type": "application/xml"}, b"<Error/>")
    for headers in (BROWSER, {**BROWSER, "Cookie": "dcor=session"}):
        assert server.ask("/dataset/none", headers=headers).text == "CKAN's own page"
    assert server.ask(f"/{BUCKET}?{SIGNED}", headers=BROWSER).text == "<Error/>"
    assert server.ask("/api/3/action/none", headers=BROWSER).reason == "NOT FOUND"


def test_a_body_that_is_too_large_gets_a_page(server: NginxServer) -> None:
    announced = {**BROWSER, "Content-Length": str((20 << 20) + 1)}
    answer = server.ask("/dataset/new", "POST", announced, b"x")
    assert (answer.status, is_page(answer)) == (413, True)


@contextmanager
def without_ckan(server: NginxServer) -> Iterator[None]:
    """Let nothing listen on CKAN's socket."""
    (server.root / "web.sock").rename(server.root / "away")
    try:
        yield
    finally:
        (server.root / "away").rename(server.root / "web.sock")


@pytest.mark.parametrize("target", ["/dataset/never-asked", "/user/login"])
def test_while_ckan_is_down_a_browser_gets_a_page(server: NginxServer, target: str) -> None:
    with without_ckan(server):
        page, program = server.ask(target, headers=BROWSER), server.ask(target)
    assert (page.status, is_page(page)) == (502, True)
    assert (program.status, is_of_nginx(program)) == (502, True)


@pytest.mark.parametrize("target", ["/", "/user/login", "/webassets/a.js", "/circle-x/y"])
def test_maintenance_has_a_page(server: NginxServer, target: str) -> None:
    flag = server.root / MAINTENANCE.lstrip("/")
    flag.touch()
    try:
        page, program = server.ask(target, headers=BROWSER), server.ask(target)
    finally:
        flag.unlink()
    assert (page.status, is_page(page), page.headers["retry-after"]) == (503, True, "300")
    assert (program.status, program.headers["retry-after"]) == (503, "300")
    assert program.text == "This server is under maintenance. Please try again later.\n"
    assert program.headers["content-type"] == "text/plain"


def test_a_limit_has_a_page(server: NginxServer) -> None:
    address = new_address()
    answers = [server.ask("/user/login", "POST", {**BROWSER, **address}) for _ in range(40)]
    answer = answers[-1]
    assert (answers[0].status, answer.status) == (200, 429)
    assert (is_page(answer), answer.headers["retry-after"]) == (True, "10")
    program = server.ask("/user/login", "POST", address)
    assert (program.headers["content-type"], program.headers["retry-after"]) == ("text/plain", "10")


def test_an_admins_page_for_a_status_replaces_ours(server: NginxServer) -> None:
    answer = server.ask("/too-slow", headers=BROWSER)
    assert (answer.status, answer.text) == (504, "own")


def test_a_store_that_is_down_has_a_page(server: NginxServer) -> None:
    server.filer.respond = lambda request: ("502 Bad Gateway", {}, b"")
    answer = server.ask(OBJECT, headers=BROWSER)
    assert (answer.status, is_page(answer), answer.headers["retry-after"]) == (503, True, "10")


def test_a_page_that_was_removed_is_nginxs_own(server: NginxServer) -> None:
    file = server.root / error_pages.DIRECTORY.lstrip("/") / "404.html"
    text = file.read_text()
    file.unlink()
    try:
        answer = server.ask("/none", headers=BROWSER)
    finally:
        file.write_text(text)
    assert (answer.status, is_of_nginx(answer)) == (404, True)


@pytest.mark.parametrize("file", error_pages.error_pages(SETTINGS).files, ids=lambda file: Path(file.path).stem)
def test_a_page_needs_nothing_from_anywhere(host: Host, file: ManagedFile) -> None:
    """It is shown while CKAN is down."""
    text = file.text(host)
    assert not re.findall(r"<script|<img|<link|url\(|@import|https?://|\bon[a-z]+=", text)
    assert text.startswith("<!-- Managed by dcor-server.")
    assert ('<html lang="en">' in text, '<section lang="de">' in text) == (True, True)


def test_pages_follow_the_title_and_an_admins_own_is_preserved(host: Host) -> None:
    def pages(title: str) -> ErrorPages:
        return error_pages.error_pages(Settings(hostname=NAME, site_title=title))

    assert [outcome.result for outcome in run([pages("One")], host)] == [Result.CHANGED]
    assert [outcome.result for outcome in run([pages("One")], host)] == [Result.UNCHANGED]
    host.write(f"{error_pages.DIRECTORY}/404.html", "own", Access(0o644))
    (outcome,) = run([pages("Two")], host)
    assert outcome.result is Result.CHANGED
    assert host.read(f"{error_pages.DIRECTORY}/404.html") == "own"
    assert "Two" in (host.read(f"{error_pages.DIRECTORY}/404.html.dcor-new") or "")
    assert "Two" in (host.read(f"{error_pages.DIRECTORY}/503.html") or "")
    host.remove(f"{error_pages.DIRECTORY}/503.html")
    (outcome,) = run([pages("Two")], host)
    assert outcome.reason == f"{error_pages.DIRECTORY}/503.html is missing"


def test_the_title_is_that_of_the_site_and_its_characters_mean_nothing() -> None:
    settings = Settings(hostname=NAME, site_title='<b>Klinik & "Labor"</b>')
    with (
        TemporaryDirectory(prefix="nginx") as directory,
        opened(Host(Path(directory)), settings=settings) as server,
    ):
        server.ckan.respond = echo
        text = server.ask("/none", headers=BROWSER).text
    assert "<b>" not in text
    assert text.count("&lt;b&gt;Klinik &amp; &#34;Labor&#34;&lt;/b&gt;") == 2
