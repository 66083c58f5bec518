"""Services elsewhere: what their programs say, in one sentence; and that no password is where others read."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import InvalidAnswer, Settings
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import secrets
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services import endpoint as services
from dcor_pkg.services import external
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store import probe as store_probe
from dcor_pkg.services.postgresql import probe as postgresql_probe
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.reach import Unusable, reach
from dcor_pkg.services.redis import probe as redis_probe
from dcor_pkg.services.solr import probe as solr_probe

PASSWORD = 'hush"\\%'
ANSWERS = {
    "database": "postgresql://dcor@localhost/archive",
    "redis": "redis://localhost/3",
    "solr": "http://ckan@localhost/solr/ckan",
    "object-store": "http://AKID@localhost",
}
#: what psql of Debian 12 says when it cannot log in
REFUSAL = (
    'psql: error: connection to server at "db.example.org" (192.0.2.1), port 5432 failed: '
    'FATAL:  password authentication failed for user "dcor"\n'
    'connection to server at "db.example.org" (192.0.2.1), port 5432 failed: FATAL:  no pg_hba.conf entry for host\n'
)


def endpoint(key: str) -> Endpoint:
    """Return a service elsewhere."""
    return next(it for it in services.of(settings.parse(ANSWERS)) if it.key == key)


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
        ("", "it does not say why"),
    ],
)
def test_what_psql_says_is_told_without_who_says_so(words: str, essence: str) -> None:
    assert psql.complaint(words) == essence


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ([failed(REFUSAL)], "does not let us in: password authentication failed"),
        (["1", "110022 UTF8"], "its PostgreSQL is 11, and CKAN needs 12"),
        (["1", "150004 LATIN1"], "the encoding of archive is LATIN1"),
        (
            ["1", "150004 UTF8", failed("ERROR:  permission denied for schema public")],
            "dcor may not make tables in archive",
        ),
    ],
)
def test_a_database_is_judged(host: Host, programs: Programs, says: list[str | CommandFailed], words: str) -> None:
    programs.says = says
    with pytest.raises(Unusable, match=words):
        postgresql_probe.probe(host, endpoint("database"), Secret(PASSWORD))
    assert host.names("/run") == []


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (["WRONGPASS invalid username-password pair\n"], "refuses the password: WRONGPASS"),
        (["ERR AUTH <password> called without any password configured for the default user.\n"], "without a password"),
        (["OK\n", "OK\nredis_version:4.0.9\n"], "its Redis is 4.0, and"),
        (
            ["OK\n", "OK\nredis_version:7.0.1\n", "OK\nOK\n", "OK\nREADONLY You can't write\n"],
            "not let us write: READONLY",
        ),
        ([failed("Could not connect")], "does not answer: Could not connect"),
    ],
)
def test_a_redis_is_judged(host: Host, programs: Programs, says: list[str | CommandFailed], words: str) -> None:
    programs.says = says
    with pytest.raises(Unusable, match=words):
        redis_probe.probe(host, endpoint("redis"), Secret(PASSWORD))


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
        ("/select", Answer(401, ""), "refuses the password of ckan"),
        ("/select", Answer(404, ""), "no core solr/ckan"),
        ("/select", Answer(0, "timed out"), "does not answer a search of ckan: timed out"),
        ("/info/system", Answer(200, '{"solr-spec-version": "8.11.1"}'), "its Solr is 8, and CKAN needs 9"),
        ("/info/system", Answer(403, ""), ""),
        ("/schema", Answer(403, ""), "ckan may not read the schema"),
        (
            "/schema",
            Answer(200, '<schema name="default-config">'),
            "its schema is default-config, and that .* is ckan-2.11",
        ),
        ("/update", Answer(403, ""), "ckan may not update its index"),
    ],
)
def test_a_solr_is_judged(host: Host, monkeypatch: pytest.MonkeyPatch, part: str, answer: Answer, words: str) -> None:
    answers = {**SOLR, part: answer}
    monkeypatch.setattr(solr_probe, "reach", lambda _: None)
    monkeypatch.setattr(
        http_request, "ask", lambda address, *_: next(said for name, said in answers.items() if name in address)
    )
    host.write(INSTALLED, SOLR["/schema"].body, Access(0o644))
    with pytest.raises(Unusable, match=words) if words else contextlib.nullcontext():
        solr_probe.probe(host, endpoint("solr"), Secret(PASSWORD))


GOOD = "\n200"
DENIED = "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>\n403"


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ([DENIED], "does not let AKID list buckets: AccessDenied: No."),
        ([failed("curl: (52) Empty reply from server")], "list buckets: curl: .52. Empty reply"),
        ([GOOD, DENIED, GOOD, GOOD], "AKID may not make buckets there: AccessDenied"),
        ([GOOD, *[GOOD] * 4, GOOD, GOOD, GOOD], "everybody could read private measurements"),
        ([GOOD, *[GOOD] * 4, DENIED, GOOD, DENIED, GOOD, GOOD], "nobody could read public measurements"),
        ([GOOD, *[GOOD] * 4, DENIED, GOOD, GOOD, DENIED, GOOD], "AKID may not delete objects"),
    ],
)
def test_a_store_is_judged(host: Host, programs: Programs, says: list[str | CommandFailed], words: str) -> None:
    programs.says = says
    with pytest.raises(Unusable, match=words):
        store_probe.probe(host, endpoint("object-store"), Secret(PASSWORD), public=True)
    assert programs.says == []


def test_without_public_datasets_nobody_has_to_read_them(host: Host, programs: Programs) -> None:
    programs.says = [GOOD, *[GOOD] * 4, DENIED, GOOD, GOOD, GOOD]
    store_probe.probe(host, endpoint("object-store"), Secret(PASSWORD), public=False)
    buckets = {line for text in programs.texts for line in text.splitlines() if line.startswith("url = ")}
    assert all(store_probe.BUCKET in line for line in buckets if line != 'url = "http://localhost/"')


def test_no_password_is_where_others_read(host: Host, programs: Programs) -> None:
    of_redis = ["OK\n", "OK\nredis_version:7.0.1\n", "OK\nOK\n", "OK\nOK\n", "OK\n1\n"]
    programs.says = ["1", "150004 UTF8", "", *of_redis, GOOD]
    postgresql_probe.probe(host, endpoint("database"), Secret(PASSWORD))
    redis_probe.probe(host, endpoint("redis"), Secret(PASSWORD))
    store_probe.log_in(host, endpoint("object-store"), Secret(PASSWORD))
    assert programs.says == []
    assert not [word for word in programs.readable if "hush" in word]
    assert 'AUTH "hush\\"\\\\%"\n' in programs.texts[3]
    assert 'user = "AKID:hush\\"\\\\%"\n' in programs.texts[-1]


def test_nobody_at_a_port_is_one_sentence() -> None:
    with pytest.raises(Unusable, match="localhost port 1 cannot be reached: Connection refused"):
        reach(Endpoint("redis", "redis", "localhost", 1, "", "", "x"))


def test_a_missing_password_names_its_question(host: Host) -> None:
    with pytest.raises(
        InvalidAnswer, match=r"dcor-server/redis = .*its password is missing \(dcor-server/redis-password\)"
    ):
        external.probe(host, None, settings.parse({"redis": ANSWERS["redis"]}), {})


def test_what_is_known_has_to_answer(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def login(*_: object) -> None:
        raise Unusable("it is not there")

    monkeypatch.setitem(external.LOGINS, "redis", login)
    secrets.save(host, secrets.external("redis-password"), Secret(PASSWORD))
    wanted = settings.parse({"redis": ANSWERS["redis"]})
    with pytest.raises(InvalidAnswer, match="dcor-server/redis = .*: it is not there"):
        external.probe(host, wanted, wanted, external.passwords(host))
    assert external.fault(host, endpoint("redis")) == "it is not there"
    assert external.fault(host, endpoint("solr")) == "its password is missing (dcor-server/solr-password)"


@pytest.mark.parametrize(
    ("before", "kept", "is_tried"),
    [
        (None, PASSWORD, True),
        ({"redis": ANSWERS["redis"]}, PASSWORD, False),
        ({"redis": ANSWERS["redis"]}, "former", True),
        ({"redis": "redis://other"}, PASSWORD, True),
    ],
    ids=["first", "same", "other password", "other address"],
)
def test_only_what_is_new_is_tried(
    host: Host, monkeypatch: pytest.MonkeyPatch, before: dict[str, str] | None, kept: str, is_tried: bool
) -> None:
    tried: list[str] = []
    monkeypatch.setitem(external.TRIALS, "redis", lambda _, it, password: tried.append(f"{it.key} {password.reveal()}"))
    monkeypatch.setitem(external.LOGINS, "redis", lambda *_: None)
    secrets.save(host, secrets.external("redis-password"), Secret(kept))
    former: Settings | None = None if before is None else settings.parse(before)
    wanted = settings.parse({"redis": ANSWERS["redis"], "site-title": "X"})
    external.probe(host, former, wanted, {"redis-password": Secret(PASSWORD)})
    assert tried == ([f"redis {PASSWORD}"] if is_tried else [])
