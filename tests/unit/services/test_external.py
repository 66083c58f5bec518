"""External services: what their programs answer becomes one sentence, and no password is where others can read it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import instance, secrets
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import PRESERVED
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services import engines, external
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.engine import Engine
from dcor_pkg.services.object_store import probe as store_probe
from dcor_pkg.services.postgresql import probe as postgresql_probe
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.reach import UnusableService, reach
from dcor_pkg.services.redis import probe as redis_probe
from dcor_pkg.services.solr import probe as solr_probe

PASSWORD = 'hush"\\%'
ANSWERS = {
    "database": "postgresql://dcor@localhost/archive",
    "redis": "redis://localhost/3",
    "solr": "http://ckan@localhost/solr/ckan",
    "object-store": "http://AKID@localhost",
}
SETTINGS = settings.parse(ANSWERS)
#: what psql of Debian 12 says when it cannot log in
REFUSAL = (
    'psql: error: connection to server at "db.example.org" (192.0.2.1), port 5432 failed: '
    'FATAL:  password authentication failed for user "dcor"\n'
    'connection to server at "db.example.org" (192.0.2.1), port 5432 failed: FATAL:  no pg_hba.conf entry for host\n'
)


def endpoint(key: str) -> Endpoint:
    """Return an external service."""
    return engines.endpoint(engine(key), SETTINGS)


def engine(key: str) -> Engine:
    """Return the row of a service."""
    return next(row for row in engines.ENGINES if row.key == key)


class Programs:
    """Stands for psql, redis-cli and curl: answers what it is told, and remembers all that others could read."""

    def __init__(self) -> None:
        self.says: list[str | CommandFailed] = []
        self.texts: list[str] = []
        self.readable: list[str] = []

    def run(self, *argv: str, text: str = "", environment: Mapping[str, str] | None = None, **_: Any) -> str:
        self.texts.append(text)
        self.readable += [*argv, *(environment or {}).values()]
        said = self.says.pop(0)
        if isinstance(said, CommandFailed):
            raise said
        return said


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Return the programs of a machine on which everybody can be reached."""
    programs = Programs()
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: programs.run(*argv, **options))
    for module in (postgresql_probe, redis_probe, store_probe):
        monkeypatch.setattr(module, "reach", lambda _: None)
    return programs


def failed(words: str) -> CommandFailed:
    return CommandFailed(("program",), 2, words)


@pytest.mark.parametrize(
    ("words", "essence"),
    [
        (REFUSAL, 'password authentication failed for user "dcor"'),
        ("ERROR:  permission denied for schema public\nLINE 1: BEGIN", "permission denied for schema public"),
        ('psql: error: connection to server at "x", port 5 failed: timeout expired\n', "timeout expired"),
        ("", "psql gave no reason"),
    ],
)
def test_the_message_is_found_in_what_psql_prints(words: str, essence: str) -> None:
    assert psql.message(words) == essence


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ([failed(REFUSAL)], "the login failed: password authentication failed"),
        (["1", "110022 UTF8"], "its PostgreSQL is version 11, and CKAN needs 12"),
        (["1", "150004 LATIN1"], "the encoding of archive is LATIN1"),
        (
            ["1", "150004 UTF8", failed("ERROR:  permission denied for schema public")],
            "dcor cannot create tables in archive",
        ),
    ],
)
def test_a_database_is_probed(host: Host, programs: Programs, says: list[str | CommandFailed], words: str) -> None:
    programs.says = says
    with pytest.raises(UnusableService, match=words):
        postgresql_probe.probe(host, endpoint("database"), Secret(PASSWORD), SETTINGS)
    assert host.names("/run") == []


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (["WRONGPASS invalid username-password pair\n"], "rejects the password: WRONGPASS"),
        (["ERR AUTH <password> called without any password configured for the default user.\n"], "without a password"),
        (["OK\n", "OK\nredis_version:4.0.9\n"], "its Redis is version 4.0, and"),
        (
            ["OK\n", "OK\nredis_version:7.0.1\n", "OK\nOK\n", "OK\nREADONLY You can't write\n"],
            "not allow CKAN to write: READONLY",
        ),
        ([failed("Could not connect")], "does not answer: Could not connect"),
    ],
)
def test_a_redis_is_probed(host: Host, programs: Programs, says: list[str | CommandFailed], words: str) -> None:
    programs.says = says
    with pytest.raises(UnusableService, match=words):
        redis_probe.probe(host, endpoint("redis"), Secret(PASSWORD), SETTINGS)


INSTALLED = "/usr/lib/ckan/default/lib/python3.99/site-packages/ckan/config/solr/schema.xml"
SOLR = {
    "/select": Answer(200, "{}"),
    "/info/system": Answer(200, '{"lucene": {"solr-spec-version": "9.10.1"}}'),
    "/schema": Answer(200, '<schema name="ckan-2.11" version="1.6">'),
    "/update": Answer(200, "{}"),
}


@pytest.mark.parametrize(
    ("part", "answer", "words"),
    [
        ("/select", Answer(401, ""), "rejects the password of ckan"),
        ("/select", Answer(404, ""), "it has no core solr/ckan"),
        ("/select", Answer(0, "timed out"), "a search as ckan fails: timed out"),
        ("/info/system", Answer(200, '{"solr-spec-version": "8.11.1"}'), "its Solr is version 8, and CKAN needs 9"),
        ("/info/system", Answer(403, ""), ""),
        ("/schema", Answer(403, ""), "ckan cannot read the schema"),
        (
            "/schema",
            Answer(200, '<schema name="default-config">'),
            "its schema is default-config, and .* needs ckan-2.11",
        ),
        ("/update", Answer(403, ""), "ckan cannot update its index"),
    ],
)
def test_a_solr_is_probed(host: Host, monkeypatch: pytest.MonkeyPatch, part: str, answer: Answer, words: str) -> None:
    answers = {**SOLR, part: answer}
    monkeypatch.setattr(solr_probe, "reach", lambda _: None)
    monkeypatch.setattr(
        http_request, "ask", lambda address, *_: next(said for name, said in answers.items() if name in address)
    )
    host.write(INSTALLED, SOLR["/schema"].body, Access(0o644))
    with pytest.raises(UnusableService, match=words) if words else contextlib.nullcontext():
        solr_probe.probe(host, endpoint("solr"), Secret(PASSWORD), SETTINGS)


GOOD = "\n200"
DENIED = "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>\n403"


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ([DENIED], "AKID cannot list buckets: AccessDenied: No."),
        ([failed("curl: (52) Empty reply from server")], "list buckets: curl: .52. Empty reply"),
        ([GOOD, DENIED, GOOD, GOOD], "AKID cannot create buckets: AccessDenied"),
        ([GOOD, *[GOOD] * 4, GOOD, GOOD, GOOD], "everybody could read private measurements"),
        ([GOOD, *[GOOD] * 4, DENIED, GOOD, DENIED, GOOD, GOOD], "nobody could read public measurements"),
        ([GOOD, *[GOOD] * 4, DENIED, GOOD, GOOD, GOOD, DENIED, GOOD, GOOD], "AKID cannot remove the tags of objects"),
        ([GOOD, *[GOOD] * 4, DENIED, *[GOOD] * 5, GOOD, GOOD], "everybody could read there what was withdrawn"),
        ([GOOD, *[GOOD] * 4, DENIED, *[GOOD] * 4, DENIED, DENIED, GOOD], "AKID cannot delete objects"),
    ],
)
def test_a_store_is_probed(host: Host, programs: Programs, says: list[str | CommandFailed], words: str) -> None:
    programs.says = says
    with pytest.raises(UnusableService, match=words):
        store_probe.probe(host, endpoint("object-store"), Secret(PASSWORD), SETTINGS)
    assert programs.says == []


def test_without_public_datasets_a_store_need_not_publish(host: Host, programs: Programs) -> None:
    programs.says = [GOOD, *[GOOD] * 4, DENIED, *[GOOD] * 5]
    store_probe.probe(host, endpoint("object-store"), Secret(PASSWORD), replace(SETTINGS, public_datasets="no"))
    buckets = {line for text in programs.texts for line in text.splitlines() if line.startswith("url = ")}
    assert all(store_probe.BUCKET in line for line in buckets if line != 'url = "http://localhost/"')


def test_no_password_is_where_others_can_read_it(host: Host, programs: Programs) -> None:
    of_redis = ["OK\n", "OK\nredis_version:7.0.1\n", "OK\nOK\n", "OK\nOK\n", "OK\n1\n"]
    programs.says = ["1", "150004 UTF8", "", *of_redis, GOOD]
    postgresql_probe.probe(host, endpoint("database"), Secret(PASSWORD), SETTINGS)
    redis_probe.probe(host, endpoint("redis"), Secret(PASSWORD), SETTINGS)
    store_probe.log_in(host, endpoint("object-store"), Secret(PASSWORD), SETTINGS)
    assert programs.says == []
    assert not [word for word in programs.readable if "hush" in word]
    assert 'AUTH "hush\\"\\\\%"\n' in programs.texts[3]
    assert 'user = "AKID:hush\\"\\\\%"\n' in programs.texts[-1]


def test_a_closed_port_is_one_sentence() -> None:
    with pytest.raises(UnusableService, match="localhost port 1 cannot be reached: Connection refused"):
        reach(Endpoint("redis", "redis", "localhost", 1, "", "", "x"))


def with_row(monkeypatch: pytest.MonkeyPatch, key: str, **changed: Any) -> Engine:
    """Change one row of the table; the service is empty."""
    row = replace(engine(key), **{"content": lambda *_: None, **changed})
    monkeypatch.setattr(engines, "ENGINES", tuple(row if it.key == key else it for it in engines.ENGINES))
    return row


ONLY_REDIS = settings.parse({"redis": ANSWERS["redis"]})
GIVEN = {"redis-password": Secret(PASSWORD)}


def test_a_missing_password_names_its_question(host: Host) -> None:
    message = r"dcor-server/redis = .*its password is missing \(dcor-server/redis-password\)"
    with pytest.raises(InvalidAnswer, match=message):
        external.check(host, Proposal(None, ONLY_REDIS, {}))


def test_an_external_service_may_have_no_password(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    row = with_row(
        monkeypatch,
        "redis",
        login_question="",
        probe=lambda *given: seen.append(given[2].reveal()),
        log_in=lambda *_: None,
    )
    external.check(host, Proposal(None, ONLY_REDIS, {}))
    external.check(host, Proposal(ONLY_REDIS, ONLY_REDIS, {}))
    assert seen == [""]
    assert external.problem(host, row, ONLY_REDIS) is None
    assert "redis-password" not in external.passwords(host)


def test_a_known_service_has_to_answer(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def log_in(*_: object) -> None:
        raise UnusableService("it is not there")

    row = with_row(monkeypatch, "redis", log_in=log_in)
    secrets.save(host, secrets.external("redis-password"), Secret(PASSWORD))
    with pytest.raises(InvalidAnswer, match=r"dcor-server/redis = .*: it is not there"):
        external.check(host, Proposal(ONLY_REDIS, ONLY_REDIS, external.passwords(host)))
    assert external.problem(host, row, ONLY_REDIS) == "it is not there"
    assert external.problem(host, engine("solr"), SETTINGS) == "its password is missing (dcor-server/solr-password)"


@pytest.mark.parametrize(
    ("before", "saved", "is_probed"),
    [
        (None, PASSWORD, True),
        ({"redis": ANSWERS["redis"]}, PASSWORD, False),
        ({"redis": ANSWERS["redis"]}, "former", True),
        ({"redis": "redis://other"}, PASSWORD, True),
    ],
    ids=["first", "same", "other password", "other address"],
)
def test_only_a_new_address_or_password_is_probed(
    host: Host, monkeypatch: pytest.MonkeyPatch, before: dict[str, str] | None, saved: str, is_probed: bool
) -> None:
    probed: list[Secret] = []
    with_row(monkeypatch, "redis", probe=lambda *given: probed.append(given[2]), log_in=lambda *_: None)
    secrets.save(host, secrets.external("redis-password"), Secret(saved))
    former = None if before is None else settings.parse(before)
    external.check(host, Proposal(former, replace(ONLY_REDIS, site_title="X"), GIVEN))
    assert probed == ([Secret(PASSWORD)] if is_probed else [])


def content(key: str, monkeypatch: pytest.MonkeyPatch, programs: Programs, found: str) -> str | None:
    """Return what an external service is said to have."""
    programs.says = [f"{found}\n200" if key == "object-store" else found]
    monkeypatch.setattr(http_request, "ask", lambda *_: Answer(200, found))
    return engine(key).content(Host(), endpoint(key), Secret(PASSWORD))


@pytest.mark.parametrize(
    ("key", "empty", "found", "said"),
    [
        ("database", "0", "70", "70 tables, views and sequences"),
        ("redis", "OK\nOK\n0", "OK\nOK\n2", "2 job queues"),
        ("solr", '{"response": {"numFound":0}}', '{"response": {"numFound": 3}}', "3 documents"),
        ("object-store", "<Name>backups</Name>", "<Name>x</Name><Name>circle-a1</Name>", "the bucket circle-a1"),
    ],
)
def test_what_an_external_service_has_of_ckan_is_seen(
    monkeypatch: pytest.MonkeyPatch, programs: Programs, key: str, empty: str, found: str, said: str
) -> None:
    assert content(key, monkeypatch, programs, empty) is None
    assert content(key, monkeypatch, programs, found) == said


FIRST = Proposal(None, settings.parse({"solr": ANSWERS["solr"]}), {"solr-password": Secret(PASSWORD)})
ID = Access(0o644)


@pytest.fixture
def core(host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a machine that can use an external core with documents of another CKAN."""
    changed = {"probe": lambda *_: None, "log_in": lambda *_: None, "content": lambda *_: "3 documents"}
    with_row(monkeypatch, "solr", **changed)
    return host


def test_a_service_with_the_content_of_another_ckan_is_refused_with_both_ways_out(core: Host) -> None:
    with pytest.raises(InvalidAnswer, match=r"it is not empty \(3 documents\), and not this server's") as refused:
        external.check(core, FIRST)
    assert "touch /etc/dcor-server/take-up-solr" in refused.value.hint
    assert "name an empty one" in refused.value.hint


def test_it_is_used_when_the_administrator_says_so_once(core: Host) -> None:
    core.write(instance.take_up("solr"), "", ID)
    external.check(core, FIRST)
    external.forget_consent(core, FIRST.wanted)
    with pytest.raises(InvalidAnswer):
        external.check(core, FIRST)


def test_what_this_server_has_used_is_its_own(core: Host) -> None:
    external.check(core, replace(FIRST, before=FIRST.wanted))
    core.write(instance.PRESERVED_INSTANCE, "id\n", ID)
    core.write(f"{PRESERVED}/dcor-server.conf", f"[dcor-server]\nsolr = {ANSWERS['solr']}\n", ID)
    external.check(core, FIRST)
    core.write(f"{PRESERVED}/dcor-server.conf", "[dcor-server]\nsolr = https://ckan@other/solr/ckan\n", ID)
    with pytest.raises(InvalidAnswer):
        external.check(core, FIRST)
