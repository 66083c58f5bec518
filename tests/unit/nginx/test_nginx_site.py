"""The site as a file, and how it gets its place: what is wanted, what nginx refuses, what is given back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import additions as nginx_additions
from dcor_pkg.nginx import site as nginx
from dcor_pkg.nginx.site import ENABLED, EXAMPLE, EXAMPLE_ENABLED, RELOAD, SITE, Site
from tests.unit.nginx.door import NAME, facts

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
#: what `nginx -t -q` of Debian 12 says, with exit code 1
REFUSAL = 'nginx: [emerg] unknown directive "nonsense" in /etc/nginx/sites-enabled/dcor:3\n'
#: and of Debian 12 when its log is opened already
ADDITION_REFUSAL = (
    f'2026/11/24 10:35:31 [emerg] 1138#1138: unknown directive "nonsense" in {nginx_additions.COPIES}/{{}}:1\n'
    "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
)
PLAIN = Access(0o644)
OWN = f"{nginx_additions.DIRECTORY}/own.conf"
COPY = f"{nginx_additions.COPIES}/own.conf"


class Validator:
    """Stands for `nginx -t`: refuses what holds nonsense, as far as it is enabled."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.judged = 0

    def run(self, *argv: str, **_: Any) -> str:
        if argv[0] == "systemctl":
            return ""
        assert argv in (nginx_additions.VALIDATE, nginx_additions.VALIDATE_ADDITIONS)
        self.judged += 1
        additions = nginx_additions.COPIES if argv == nginx_additions.VALIDATE else nginx_additions.DIRECTORY
        for name in self.host.names(additions):
            if "nonsense" in str(self.host.read(f"{additions}/{name}")):
                raise CommandFailed(argv, 1, ADDITION_REFUSAL.format(name))
        directory = "/etc/nginx/sites-enabled"
        for name in self.host.names(directory):
            text = self.host.read(self.host.target(f"{directory}/{name}") or "")
            if text is None or "nonsense" in text:
                raise CommandFailed(argv, 1, REFUSAL)
        return ""


@pytest.fixture
def validator(host: Host, monkeypatch: pytest.MonkeyPatch) -> Validator:
    """Return nginx's judgement, on a machine on which Debian's example is enabled."""
    host.write(EXAMPLE, "server { listen 80 default_server; }\n", PLAIN)
    host.link(EXAMPLE_ENABLED, EXAMPLE)
    judge = Validator(host)
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: judge.run(*argv, **options))
    return judge


def site(hostname: str = NAME, version: Sequence[int] = (1, 22, 1), *, ipv6: bool = True) -> Site:
    """Return the step."""
    return Site(nginx.site(Settings(hostname=hostname), facts(tuple(version), ipv6=ipv6)))


@pytest.mark.parametrize(
    ("name", "version", "ipv6"), [("1.22", (1, 22, 1), True), ("1.26-without-ipv6", (1, 26, 3), False)]
)
def test_the_site_is_as_expected(host: Host, name: str, version: Sequence[int], ipv6: bool) -> None:
    """A change of the template shows here as nginx will see it. GOLDEN=accept takes it over."""
    golden = GOLDEN / f"nginx-{name}.conf"
    text = site(version=version, ipv6=ipv6).file.text(host)
    if os.environ.get("GOLDEN") == "accept":
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("version", [(1, 18, 0), (1, 22, 1), (1, 25, 0)])
def test_an_older_nginx_hears_of_http2_behind_listen(host: Host, version: Sequence[int]) -> None:
    text = site(version=version).file.text(host)
    assert "http2 on;" not in text
    assert text.count(" ssl http2") == 4


@pytest.mark.parametrize("version", [(1, 25, 1), (1, 26, 3), (2, 0)])
def test_a_newer_nginx_hears_of_http2_by_its_own_directive(host: Host, version: Sequence[int]) -> None:
    text = site(version=version).file.text(host)
    assert " ssl http2" not in text
    assert text.count("http2 on;") == 2


def test_where_ipv6_is_off_nothing_listens_to_it(host: Host) -> None:
    assert "[::]" not in site(ipv6=False).file.text(host)
    assert site().file.text(host).count("listen [::]:") == 4


def test_a_long_host_name_gets_the_room_that_it_needs(host: Host) -> None:
    """nginx does not start with it otherwise ("could not build server_names_hash")."""
    assert "server_names_hash_bucket_size" in site("a" * 52 + ".example.org").file.text(host)
    assert "server_names_hash_bucket_size" not in site().file.text(host)


def test_with_the_store_elsewhere_nothing_leads_to_ours(host: Host) -> None:
    answers = Settings(hostname=NAME, object_store="https://AKID@s3.example.org:9000")
    text = nginx.site(answers, facts((1, 22, 1), ipv6=True)).text(host)
    assert not [word for word in ("dcor_s3", "dcor_filer", "filer-token", "^~ /circle-", "@object") if word in text]
    assert (
        "default-src 'self' https://s3.example.org:9000; img-src 'self' data: https: https://s3.example.org:9000;"
        in text
    )


def test_the_site_takes_the_examples_place(host: Host, validator: Validator) -> None:
    (outcome,) = run([site()], host)
    assert (outcome.result, host.target(ENABLED), host.exists(EXAMPLE_ENABLED)) == (Result.CHANGED, SITE, False)
    assert pending.is_pending(host, RELOAD)
    assert [o.result for o in run([site()], host)] == [Result.UNCHANGED]


@pytest.mark.parametrize("damage", [ENABLED, SITE])
def test_what_is_lost_is_made_again(host: Host, validator: Validator, damage: str) -> None:
    run([site()], host)
    pending.clear(host, RELOAD)
    host.remove(damage)
    (outcome,) = run([site()], host)
    assert (outcome.result, host.target(ENABLED), host.exists(SITE)) == (Result.CHANGED, SITE, True)
    assert pending.is_pending(host, RELOAD)


def test_what_nginx_refuses_leaves_no_trace(host: Host, validator: Validator) -> None:
    (outcome,) = run([site("nonsense.example.org")], host)
    assert (outcome.result, outcome.hint) == (Result.FAILED, REFUSAL.strip())
    assert not host.exists(SITE)
    assert not host.exists(ENABLED)
    assert host.target(EXAMPLE_ENABLED) == EXAMPLE


def test_the_old_site_stays_when_nginx_refuses_the_new_one(host: Host, validator: Validator) -> None:
    run([site()], host)
    before = host.read(SITE)
    (outcome,) = run([site("nonsense.example.org")], host)
    assert outcome.result is Result.FAILED
    assert (host.read(SITE), host.target(ENABLED)) == (before, SITE)
    assert site().check(host) is None


def test_what_others_broke_is_told(host: Host, validator: Validator) -> None:
    """It would make Debian's next upgrade of nginx fail."""
    run([site()], host)
    host.write("/etc/nginx/sites-available/other", "nonsense;\n", PLAIN)
    host.link("/etc/nginx/sites-enabled/other", "/etc/nginx/sites-available/other")
    assert site().check(host) == f"nginx refuses its configuration: {REFUSAL.strip()}"


def test_additions_are_taken_over_changed_and_given_up(host: Host, validator: Validator) -> None:
    run([site()], host)
    for text in ("return 1;\n", "return 2;\n", None):
        pending.clear(host, RELOAD)
        if text is None:
            host.remove(OWN)
        else:
            host.write(OWN, text, PLAIN)
        (outcome,) = run([site()], host)
        assert outcome.reason == f"{OWN} has changed, and is not taken over yet"
        assert host.read(COPY) == text
        assert pending.is_pending(host, RELOAD)
        assert site().check(host) is None
    host.write(f"{nginx_additions.DIRECTORY}/note.txt", "no addition", PLAIN)
    assert site().check(host) is None


def test_an_addition_that_nginx_refuses_is_told_in_its_words_and_not_taken_over(
    host: Host, validator: Validator
) -> None:
    host.write(OWN, "return 1;\n", PLAIN)
    run([site()], host)
    host.write(OWN, "nonsense;\n", PLAIN)
    words = f'[emerg] unknown directive "nonsense" in {OWN}:1'
    assert site().check(host) == f"nginx refuses its configuration: {words}"
    for wanted in (site(), site("other.example.org")):
        (outcome,) = run([wanted], host)
        assert (outcome.result, outcome.hint.splitlines()[0]) == (Result.FAILED, words)
        assert host.read(COPY) == "return 1;\n"
    assert NAME in str(host.read(SITE))
    with pytest.raises(DcorError, match="unknown directive"):
        nginx_additions.validate(host)


def test_an_addition_that_leads_nowhere_is_named(host: Host, validator: Validator) -> None:
    run([site()], host)
    host.link(OWN, "/nowhere")
    (outcome,) = run([site()], host)
    assert (outcome.result, outcome.reason) == (Result.FAILED, f"{OWN} is not a readable file.")


def test_another_default_site_is_not_ours_to_remove(host: Host, validator: Validator) -> None:
    host.write("/etc/nginx/sites-available/own", "server {}\n", PLAIN)
    host.link(EXAMPLE_ENABLED, "/etc/nginx/sites-available/own")
    run([site()], host)
    assert host.target(EXAMPLE_ENABLED) == "/etc/nginx/sites-available/own"


def test_the_example_gets_its_place_back(host: Host, validator: Validator) -> None:
    run([site()], host)
    nginx.take_down(host)
    assert (host.exists(ENABLED), host.target(EXAMPLE_ENABLED)) == (False, EXAMPLE)


def test_an_example_that_was_not_enabled_does_not_become_so(host: Host, validator: Validator) -> None:
    host.remove(EXAMPLE_ENABLED)
    run([site()], host)
    nginx.take_down(host)
    assert not host.exists(EXAMPLE_ENABLED)
