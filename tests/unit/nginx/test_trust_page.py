"""The page /trust: what it says, that nginx serves it without CKAN, and that it follows the certificate."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from dcor_pkg.answers.settings import OWN, SELF_SIGNED, Settings
from dcor_pkg.kernel.runner import Result, dry_run, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import AUTHORITIES
from dcor_pkg.nginx import trust_page
from dcor_pkg.nginx.trust_page import CERTIFICATE, FILES, PAGES, SCRIPT, TrustPage
from dcor_pkg.tls import x509_properties
from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.trust_anchor import PUBLIC_AUTHORITIES
from tests.unit.nginx.nginx_server import NAME, SETTINGS, NginxServer, opened
from tests.unit.nginx.test_nginx_error_pages import BROWSER, without_ckan
from tests.unit.tls.authority import INTERMEDIATE, KEY, ROOT, pem

ROOT_PEM = ROOT.pem
STEP = trust_page.trust_page(SETTINGS)
OWN_STEP = trust_page.trust_page(
    Settings(hostname=NAME, certificate=OWN, certificate_file="/srv/chain.pem", certificate_key="/srv/key.pem")
)
PUBLIC = Access(0o644)


def texts(host: Host) -> list[str]:
    """Return the pages in English and German."""
    return [host.read(file.path) or "" for file in PAGES.values()]


def fingerprint(text: str) -> str:
    return x509_properties.fingerprint(x509_properties.load_chain(text)[0])


def own(host: Host, *, public: bool) -> None:
    """Serve a certificate of an authority that is trusted by this machine, or by everybody."""
    PAIRS[OWN].write(host, INTERMEDIATE.issue(KEY) + INTERMEDIATE.pem, pem(KEY))
    host.write(AUTHORITIES, ROOT_PEM, PUBLIC)
    host.write(f"{PUBLIC_AUTHORITIES}/Root.crt", ROOT_PEM if public else "", PUBLIC)


@pytest.fixture
def self_signed(host: Host) -> Host:
    """Return a machine with a self-signed certificate and its page."""
    assert [it.result for it in run([SelfSignedCertificate(NAME), STEP], host)] == [Result.CHANGED, Result.CHANGED]
    return host


def test_the_certificate_and_its_fingerprint_are_on_the_page_in_both_languages(self_signed: Host) -> None:
    served = self_signed.read(PAIRS[SELF_SIGNED].certificate) or ""
    assert self_signed.read(CERTIFICATE.path) == served
    seen = fingerprint(served)
    for text in texts(self_signed):
        assert {seen, seen.replace(":", " "), seen.replace(":", "").lower()} <= set(
            re.findall(r"<code>(.*?)</code>", text)
        )
        assert f"<td>CN={NAME}</td>" in text
        assert f'-t "P,," -n {NAME} -i {NAME}.crt' in text
        assert re.search(r"\b825 (days|Tage)\b", text)


def test_both_languages_name_the_same_commands_and_links(self_signed: Host) -> None:
    english, german = texts(self_signed)
    assert ('<html lang="en">' in english, '<html lang="de">' in german) == (True, True)
    assert 'href="/de/trust"' in english
    assert 'href="/trust"' in german
    commands = [
        [line.replace("DATEI", "FILE") for line in re.findall(r"<pre>.*?</pre>", text, re.DOTALL)]
        for text in texts(self_signed)
    ]
    assert commands[0] == commands[1] != []
    headings = [re.findall(r"<(h\d)>", text) for text in texts(self_signed)]
    assert headings[0] == headings[1]


@pytest.mark.parametrize("public", [True, False])
def test_a_page_needs_nothing_from_anywhere(host: Host, public: bool) -> None:
    own(host, public=public)
    OWN_STEP.apply(host)
    for text in texts(host):
        assert not re.findall(r"<script|<img|<link|url\(|@import|\bon[a-z]+=", text)
        assert set(re.findall(r"https?://([^/]*)/", text)) <= {NAME}


def test_the_page_follows_a_new_certificate_and_the_report_names_its_fingerprint(self_signed: Host) -> None:
    old = texts(self_signed)
    SelfSignedCertificate(NAME).apply(self_signed)
    (outcome,) = run([STEP], self_signed)
    new = fingerprint(self_signed.read(PAIRS[SELF_SIGNED].certificate) or "")
    assert outcome.result is Result.CHANGED
    assert outcome.reason == f"{CERTIFICATE.path} is not the certificate with the SHA-256 fingerprint {new}"
    assert all(new in text for text in texts(self_signed))
    assert texts(self_signed) != old
    assert [it.result for it in run([STEP], self_signed)] == [Result.UNCHANGED]


def test_the_authority_of_a_clinic_is_offered_and_stays_when_the_certificate_is_renewed(host: Host) -> None:
    own(host, public=False)
    assert run([OWN_STEP], host)[0].result is Result.CHANGED
    assert host.read(CERTIFICATE.path) == ROOT_PEM
    for text in texts(host):
        assert "CN=root.example.org" in text
        assert f"<td>{NAME}</td>" in text
        assert '-t "C,,"' in text
        assert re.search(r"\b825 (days|Tage)\b", text) is None
    PAIRS[OWN].write(host, INTERMEDIATE.issue(KEY) + INTERMEDIATE.pem, pem(KEY))
    assert run([OWN_STEP], host)[0].result is Result.UNCHANGED


def test_with_a_public_certificate_there_is_nothing_to_trust(self_signed: Host) -> None:
    own(self_signed, public=True)
    (outcome,) = run([OWN_STEP], self_signed)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, f"{CERTIFICATE.path} is not needed any more")
    assert [self_signed.exists(file.path) for file in (CERTIFICATE, SCRIPT)] == [False, False]
    assert [re.findall("<h1>(.*)</h1>", text) for text in texts(self_signed)] == [
        ["There is nothing to do"],
        ["Es ist nichts zu tun"],
    ]


def test_before_there_is_a_certificate_a_dry_run_says_so(host: Host) -> None:
    (outcome,) = dry_run([STEP], host)
    assert outcome.result is Result.WOULD_CHANGE
    assert outcome.reason == f"{PAIRS[SELF_SIGNED].certificate} contains no certificate."


def test_titles_and_subjects_mean_nothing_as_html(self_signed: Host) -> None:
    TrustPage(NAME, "<b>&", PAIRS[SELF_SIGNED]).apply(self_signed)
    assert all("<b>&" not in text and "&lt;b&gt;&amp;" in text for text in texts(self_signed))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.address)
def test_nginx_serves_it_while_ckan_is_down(server: NginxServer, file: trust_page.TrustFile) -> None:
    with without_ckan(server):
        answer = server.ask(file.address, headers=BROWSER)
    assert (answer.status, answer.text) == (200, (server.root / file.path.lstrip("/")).read_text())
    assert answer.headers["content-type"].partition(";")[0] == file.type
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert server.ask(file.address, "HEAD").status == 200
    assert server.ask(file.address, "POST").status == 405


def test_only_the_certificate_is_saved_under_the_name_of_the_server(server: NginxServer) -> None:
    found = {file: server.ask(file.address).headers.get("content-disposition") for file in FILES}
    assert found.pop(CERTIFICATE) == f'attachment; filename="{NAME}.crt"'
    assert set(found.values()) == {None}


@pytest.mark.parametrize("address", [file.address for file in FILES])
def test_without_tls_there_is_only_the_way_to_the_page(server: NginxServer, address: str) -> None:
    answer = server.ask(address, tls=False)
    assert (answer.status, answer.headers["location"]) == (301, f"https://{NAME}{address}")


@pytest.mark.parametrize("address", ["/trust", "/de/trust"])
def test_a_slash_at_the_end_leads_to_the_page(server: NginxServer, address: str) -> None:
    answer = server.ask(f"{address}/")
    assert (answer.status, answer.headers["location"]) == (301, address)


@pytest.mark.parametrize(
    "target", ["/trust/en.html", "/trust/../secrets", "/trust/tls-key.pem", "/fr/trust", "/trustx"]
)
def test_there_is_nothing_else(server: NginxServer, target: str) -> None:
    assert server.ask(target).status in (400, 404)
    assert server.ckan.seen == []


def test_a_public_certificate_has_a_page_and_no_files() -> None:
    with TemporaryDirectory(prefix="nginx") as directory, opened(Host(Path(directory))) as server:
        for file in (CERTIFICATE, SCRIPT):
            (server.root / file.path.lstrip("/")).unlink()
        assert [server.ask(file.address).status for file in FILES] == [404, 404, 200, 200]
