"""The site's file, how it is enabled, what happens when nginx rejects it, and how it is taken down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.pending import RELOAD_NGINX
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import additions, example_site
from dcor_pkg.nginx import site as nginx
from dcor_pkg.nginx.site import ENABLED, SITE, Site
from dcor_pkg.nginx.take_down import take_down
from tests.unit.nginx.nginx_server import NAME, facts

#: what `nginx -t -q` of Debian 12 prints, with exit code 1
ERROR = 'nginx: [emerg] unknown directive "nonsense" in /etc/nginx/sites-enabled/dcor:3\n'
#: what it prints when it has opened its log already
ADDITION_ERROR = (
    f'2026/11/24 10:35:31 [emerg] 1138#1138: unknown directive "nonsense" in {additions.COPIES}/{{}}:1\n'
    "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
)
PLAIN = Access(0o644)
OWN = f"{additions.DIRECTORY}/own.conf"
COPY = f"{additions.COPIES}/own.conf"


class Nginx:
    """Stands for `nginx -t`, which rejects each enabled file that contains the word nonsense, and for systemctl."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.systemctl: list[tuple[str, ...]] = []
        self.reads_sites = True

    def run(self, *argv: str, **_: Any) -> str:
        if argv[0] == "systemctl":
            self.systemctl.append(argv[1:])
            return ""
        if argv == nginx.READ:
            return f"# configuration file {ENABLED}:\n" if self.reads_sites else ""
        assert argv in (additions.VALIDATE, additions.VALIDATE_ADDITIONS)
        included = additions.COPIES if argv == additions.VALIDATE else additions.DIRECTORY
        for name in self.host.names(included):
            if "nonsense" in str(self.host.read(f"{included}/{name}")):
                raise CommandFailed(argv, 1, ADDITION_ERROR.format(name))
        directory = "/etc/nginx/sites-enabled"
        for name in self.host.names(directory):
            text = self.host.read(self.host.target(f"{directory}/{name}") or "")
            if text is None or "nonsense" in text:
                raise CommandFailed(argv, 1, ERROR)
        return ""


@pytest.fixture
def fake_nginx(host: Host, monkeypatch: pytest.MonkeyPatch) -> Nginx:
    """Return the nginx of a machine on which Debian's example is enabled."""
    host.write(example_site.PATH, "server { listen 80 default_server; }\n", PLAIN)
    host.link(example_site.ENABLED, example_site.PATH)
    programs = Nginx(host)
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: programs.run(*argv, **options))
    return programs


def site(hostname: str = NAME, version: Sequence[int] = (1, 22, 1), *, ipv6: bool = True) -> Site:
    """Return the step."""
    return Site(nginx.site(Settings(hostname=hostname), facts(tuple(version), ipv6=ipv6)))


@pytest.mark.parametrize("version", [(1, 18, 0), (1, 22, 1), (1, 25, 0)])
def test_an_older_nginx_gets_http2_as_a_parameter_of_listen(host: Host, version: Sequence[int]) -> None:
    text = site(version=version).file.text(host)
    assert "http2 on;" not in text
    assert text.count(" ssl http2") == 4


@pytest.mark.parametrize("version", [(1, 25, 1), (1, 26, 3), (2, 0)])
def test_a_newer_nginx_gets_http2_as_a_directive(host: Host, version: Sequence[int]) -> None:
    text = site(version=version).file.text(host)
    assert " ssl http2" not in text
    assert text.count("http2 on;") == 2


def test_without_ipv6_nothing_listens_on_it(host: Host) -> None:
    assert "[::]" not in site(ipv6=False).file.text(host)
    assert site().file.text(host).count("listen [::]:") == 4


def test_a_long_host_name_gets_larger_hash_buckets(host: Host) -> None:
    """Otherwise nginx does not start ("could not build server_names_hash")."""
    assert "server_names_hash_bucket_size" in site("a" * 52 + ".example.org").file.text(host)
    assert "server_names_hash_bucket_size" not in site().file.text(host)


def test_with_an_external_store_nothing_refers_to_the_local_one(host: Host) -> None:
    answers = Settings(hostname=NAME, object_store="https://AKID@s3.example.org:9000")
    text = nginx.site(answers, facts((1, 22, 1), ipv6=True)).text(host)
    assert not [word for word in ("dcor_s3", "dcor_filer", "filer-token", "^~ /circle-", "@object") if word in text]
    assert (
        "default-src 'self' https://s3.example.org:9000; img-src 'self' data: https: https://s3.example.org:9000;"
        in text
    )


def test_the_site_is_enabled_instead_of_the_example(host: Host, fake_nginx: Nginx) -> None:
    (outcome,) = run([site()], host)
    assert (outcome.result, host.target(ENABLED), host.exists(example_site.ENABLED)) == (Result.CHANGED, SITE, False)
    assert pending.is_pending(host, RELOAD_NGINX)
    assert [o.result for o in run([site()], host)] == [Result.UNCHANGED]


@pytest.mark.parametrize("damage", [ENABLED, SITE])
def test_a_lost_file_or_link_is_made_again(host: Host, fake_nginx: Nginx, damage: str) -> None:
    run([site()], host)
    pending.clear(host, RELOAD_NGINX)
    host.remove(damage)
    (outcome,) = run([site()], host)
    assert (outcome.result, host.target(ENABLED), host.exists(SITE)) == (Result.CHANGED, SITE, True)
    assert pending.is_pending(host, RELOAD_NGINX)


def test_a_first_site_that_nginx_rejects_leaves_no_trace(host: Host, fake_nginx: Nginx) -> None:
    (outcome,) = run([site("nonsense.example.org")], host)
    assert (outcome.result, outcome.hint) == (Result.FAILED, ERROR.strip())
    assert not host.exists(SITE)
    assert not host.exists(ENABLED)
    assert host.target(example_site.ENABLED) == example_site.PATH


def test_the_old_site_stays_when_nginx_rejects_the_new_one(host: Host, fake_nginx: Nginx) -> None:
    run([site()], host)
    before = host.read(SITE)
    (outcome,) = run([site("nonsense.example.org")], host)
    assert outcome.result is Result.FAILED
    assert (host.read(SITE), host.target(ENABLED)) == (before, SITE)
    assert site().check(host) is None


def test_a_site_that_nginx_does_not_read_is_no_success(host: Host, fake_nginx: Nginx) -> None:
    fake_nginx.reads_sites = False
    (outcome,) = run([site()], host)
    assert (outcome.result, outcome.reason, outcome.hint) == (Result.FAILED, nginx.UNREAD, nginx.UNREAD_HINT)
    fake_nginx.reads_sites = True
    run([site()], host)
    fake_nginx.reads_sites = False
    assert site().check(host) == nginx.UNREAD


def test_an_error_in_another_site_is_drift(host: Host, fake_nginx: Nginx) -> None:
    """With it Debian's next upgrade of nginx would fail."""
    run([site()], host)
    host.write("/etc/nginx/sites-available/other", "nonsense;\n", PLAIN)
    host.link("/etc/nginx/sites-enabled/other", "/etc/nginx/sites-available/other")
    assert site().check(host) == f"nginx rejects its configuration: {ERROR.strip()}"


def test_additions_are_applied_changed_and_removed(host: Host, fake_nginx: Nginx) -> None:
    run([site()], host)
    for text in ("return 1;\n", "return 2;\n", None):
        pending.clear(host, RELOAD_NGINX)
        if text is None:
            host.remove(OWN)
        else:
            host.write(OWN, text, PLAIN)
        (outcome,) = run([site()], host)
        assert outcome.reason == f"{OWN} has changed and is not applied yet"
        assert host.read(COPY) == text
        assert pending.is_pending(host, RELOAD_NGINX)
        assert site().check(host) is None
    host.write(f"{additions.DIRECTORY}/note.txt", "no addition", PLAIN)
    assert site().check(host) is None


def test_an_addition_that_nginx_rejects_is_reported_in_its_words_and_not_applied(host: Host, fake_nginx: Nginx) -> None:
    host.write(OWN, "return 1;\n", PLAIN)
    run([site()], host)
    host.write(OWN, "nonsense;\n", PLAIN)
    message = f'[emerg] unknown directive "nonsense" in {OWN}:1'
    assert site().check(host) == f"nginx rejects its configuration: {message}"
    for wanted in (site(), site("other.example.org")):
        (outcome,) = run([wanted], host)
        assert (outcome.result, outcome.hint.splitlines()[0]) == (Result.FAILED, message)
        assert host.read(COPY) == "return 1;\n"
    assert NAME in str(host.read(SITE))
    with pytest.raises(DcorError, match="unknown directive"):
        additions.validate(host)


def test_an_addition_that_is_a_dangling_link_is_named(host: Host, fake_nginx: Nginx) -> None:
    run([site()], host)
    host.link(OWN, "/nowhere")
    (outcome,) = run([site()], host)
    assert (outcome.result, outcome.reason) == (Result.FAILED, f"{OWN} is not a readable file.")


def test_a_default_site_of_the_admins_stays_enabled(host: Host, fake_nginx: Nginx) -> None:
    host.write("/etc/nginx/sites-available/own", "server {}\n", PLAIN)
    host.link(example_site.ENABLED, "/etc/nginx/sites-available/own")
    run([site()], host)
    assert host.target(example_site.ENABLED) == "/etc/nginx/sites-available/own"


def test_the_example_is_enabled_again_when_the_site_is_taken_down(host: Host, fake_nginx: Nginx) -> None:
    run([site()], host)
    take_down(host)
    assert (host.exists(ENABLED), host.target(example_site.ENABLED)) == (False, example_site.PATH)


def test_an_example_that_was_not_enabled_stays_disabled(host: Host, fake_nginx: Nginx) -> None:
    host.remove(example_site.ENABLED)
    run([site()], host)
    take_down(host)
    assert not host.exists(example_site.ENABLED)


def test_an_example_that_is_enabled_later_is_drift_and_is_disabled_again(host: Host, fake_nginx: Nginx) -> None:
    run([site()], host)
    host.link(example_site.ENABLED, "../sites-available/default")
    (outcome,) = run([site()], host)
    assert (outcome.result, outcome.reason) == (Result.CHANGED, "Debian's example site is enabled as well")
    assert not host.exists(example_site.ENABLED)


def test_additions_that_nginx_accepts_or_that_have_not_changed_are_valid(host: Host, fake_nginx: Nginx) -> None:
    additions.validate(host)
    host.write(OWN, "return 1;\n", PLAIN)
    additions.validate(host)
    run([site()], host)
    additions.validate(host)


@pytest.mark.parametrize(
    ("openssl", "curves"),
    [
        ((3, 0, 17), "X25519:prime256v1:secp384r1"),
        ((3, 5), "X25519MLKEM768:X25519:prime256v1:secp384r1"),
        ((4, 0, 1), "X25519MLKEM768:X25519:prime256v1:secp384r1"),
    ],
)
def test_the_curves_are_those_of_mozillas_profile_that_openssl_has(
    host: Host, openssl: tuple[int, ...], curves: str
) -> None:
    text = nginx.site(Settings(hostname=NAME), facts((1, 22, 1), openssl=openssl)).text(host)
    assert text.count(f"ssl_ecdh_curve {curves};") == text.count("ssl_ciphers ") == 2
