"""The endpoints of services, from the settings, and their addresses as libraries take them."""

from __future__ import annotations

import configparser
from dataclasses import fields
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.kernel import secrets, templates
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services import endpoints, engines
from dcor_pkg.services.postgresql import psql

EXTERNAL = {
    "database": "postgresql://dcor@db.example.org:5433/archive",
    "redis": "rediss://redis.example.org:6380/3",
    "solr": "https://index@search.example.org:8984/solr/dcor",
    "object-store": "https://AKID@s3.example.org:9000",
}
#: one word, of all that a password may be made of
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


def of(**answers: str) -> endpoints.Services:
    """Return the services of a server with these answers."""
    return endpoints.of(settings.parse({"hostname": "dcor.example.org", **answers}))


def test_by_default_all_are_local() -> None:
    assert engines.local(settings.Settings()) == engines.ENGINES
    assert all(getattr(of(), item.name).local for item in fields(endpoints.Services))
    assert of().object_store.origin == "https://dcor.example.org"
    assert of().solr.address == "http://127.0.0.1:8983/solr/ckan"


def test_an_address_is_parsed() -> None:
    used = of(**EXTERNAL)
    assert (used.database.user, used.database.name, used.database.port) == ("dcor", "archive", 5433)
    assert (used.redis.name, used.redis.tls, used.solr.name) == ("3", True, "solr/dcor")
    assert used.object_store.login(Secret) == ("AKID", Secret("external-object-store-secret"))


def test_an_address_without_a_port_has_the_default_port() -> None:
    used = of(database="postgresql://dcor@db/archive", **{"object-store": "https://AKID@s3.example.org/"})
    assert (used.database.port, used.object_store.port, used.object_store.origin) == (
        5432,
        443,
        "https://s3.example.org",
    )


@given(WORDS)
def test_a_password_survives_the_url(password: str) -> None:
    for endpoint in (of(**EXTERNAL).database, of(**EXTERNAL).redis):
        parts = urlsplit(endpoint.url(lambda _: Secret(password)))
        assert (unquote(parts.password or ""), parts.hostname, parts.port) == (password, endpoint.host, endpoint.port)


@pytest.mark.parametrize(
    ("key", "answer", "query"),
    [
        ("database", EXTERNAL["database"], "sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"),
        ("database", "postgresql://dcor@localhost:5433/archive", "sslmode=require&channel_binding=require"),
        ("database", "local", "host=/var/run/postgresql&port=5432"),
        ("redis", EXTERNAL["redis"], "ssl_check_hostname=true"),
        ("redis", "redis://redis.example.org", ""),
        ("redis", "local", "db=0"),
    ],
)
def test_a_server_proves_who_it_is_before_it_gets_the_password(key: str, answer: str, query: str) -> None:
    endpoint = getattr(of(**{key: answer}), key)
    assert urlsplit(endpoint.url(Secret)).query == query


@given(WORDS)
def test_a_line_of_the_password_file_is_read_as_libpq_reads_it(password: str) -> None:
    fields, quoted = [""], False
    for sign in psql.passfile_line(of(**EXTERNAL).database, Secret(password)).removesuffix("\n"):
        if quoted or sign not in "\\:":
            fields[-1] += sign
            quoted = False
        elif sign == ":":
            fields.append("")
        else:
            quoted = True
    assert fields == ["db.example.org", "5433", "archive", "dcor", password]


PASSWORDS = {question: f"%(p){question}%$#;=" for question in settings.PASSWORDS}


@pytest.mark.parametrize("answers", [{}, EXTERNAL], ids=["local", "external"])
def test_ckan_ini_names_them(host: Host, answers: dict[str, str]) -> None:
    for question, password in PASSWORDS.items():
        host.write(secrets.path(secrets.external(question)), f"{password}\n", Access(0o600))
    names = (
        "ckan-secret-key",
        "ckan-csrf-key",
        "solr-password",
        *(f"object-store-{it}" for it in ("key", "secret")),
    )
    for name in names:
        RandomSecret(name).apply(host)
    wanted = settings.parse({"hostname": "dcor.example.org", **answers})
    values = {"settings": wanted, "services": endpoints.of(wanted), "licences": "/x", "core": "ckan"}
    parser = configparser.ConfigParser()
    parser.read_string(templates.render("ckan/templates/ckan.ini", values, host))
    found = parser["app:main"]
    database = urlsplit(found["sqlalchemy.url"])
    if answers:
        assert (found["solr_url"], found["solr_user"]) == ("https://search.example.org:8984/solr/dcor", "index")
        assert found["dcor_object_store.access_key_id"] == "AKID"
        assert found["dcor_object_store.secret_access_key"] == PASSWORDS["object-store-secret"]
        assert found["solr_password"] == PASSWORDS["solr-password"]
        assert unquote(database.password or "") == PASSWORDS["database-password"]
        assert unquote(urlsplit(found["ckan.redis.url"]).password or "") == PASSWORDS["redis-password"]
    else:
        assert (found["solr_url"], found["solr_user"]) == ("http://127.0.0.1:8983/solr/ckan", "ckan")
        assert found["dcor_object_store.access_key_id"] == secrets.read(host, "object-store-key").reveal()
        assert found["ckan.redis.url"] == "unix:///run/redis-dcor/redis.sock?db=0"
        expected = "postgresql://www-data@/ckan_default?host=/var/run/postgresql&port=5432"
        assert found["sqlalchemy.url"] == expected
