"""CKAN waits for services that are being started again, for some seconds, and not while one is down for long."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import dcor_pkg.runtime
from tests.unit.runtime.conftest import module


class NoAnswer(Exception):
    """ConnectionError, of requests and of redis; OperationalError, of psycopg2."""


class HttpAdapter:
    """The same, of requests: sends a request when nothing is left of `failures`, and of answers with status 503."""

    failures = unavailable = 0

    def send(self, request: str, **options: Any) -> Any:
        if HttpAdapter.failures:
            HttpAdapter.failures -= 1
            raise NoAnswer
        if HttpAdapter.unavailable:
            HttpAdapter.unavailable -= 1
            return SimpleNamespace(status_code=503, text="SolrCore is loading")
        return SimpleNamespace(status_code=200, text=f"{request} {options}")


class Session:
    """The same, of requests."""

    def __init__(self) -> None:
        self.adapters: dict[str, Any] = {}

    def get_adapter(self, scheme: str) -> Any:
        return self.adapters.get(scheme)

    def mount(self, scheme: str, adapter: Any) -> None:
        self.adapters[scheme] = adapter


class Solr:
    """The client, of pysolr."""

    def __init__(self) -> None:
        self.made = Session()

    def get_session(self) -> Session:
        return self.made


class ConnectionPool:
    """The same, of redis: connections fail `failures` times."""

    failures = 0

    def __init__(self, url: str, **options: Any) -> None:
        self.url, self.options = url, options

    @classmethod
    def from_url(cls, url: str, **options: Any) -> ConnectionPool:
        return cls(url, **options)

    def get_connection(self, *arguments: Any) -> str:
        if ConnectionPool.failures:
            ConnectionPool.failures -= 1
            raise NoAnswer
        return f"connection for {arguments}"


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return the module; what it listens to is in `patience.listeners`."""
    listeners: dict[str, Any] = {}
    event = SimpleNamespace(listen=lambda target, name, function: listeners.update({name: function}))
    redis = module("redis", ConnectionPool=ConnectionPool, ConnectionError=NoAnswer, TimeoutError=TimeoutError)
    made = (
        module("pysolr", Solr=type("Solr", (Solr,), {"get_session": Solr.get_session})),
        redis,
        module("requests", ConnectionError=NoAnswer),
        module("requests.adapters", HTTPAdapter=HttpAdapter),
        module("sqlalchemy", event=event),
        module("sqlalchemy.engine", Engine=object),
        module("ckan"),
        module("ckan.lib", redis=SimpleNamespace(ConnectionPool=ConnectionPool)),
        module("dcor_runtime", __path__=dcor_pkg.runtime.__path__),
    )
    for it in made:
        monkeypatch.setitem(sys.modules, it.__name__, it)
    found = importlib.import_module("dcor_runtime.patience")
    monkeypatch.setattr(found, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(found, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(found, "listeners", listeners, raising=False)
    monkeypatch.setattr(HttpAdapter, "failures", 0)
    monkeypatch.setattr(HttpAdapter, "unavailable", 0)
    yield found
    del sys.modules["dcor_runtime.patience"]


class Attempts:
    """Fails some times, and is counted."""

    def __init__(self, failures: float) -> None:
        self.failures, self.count = failures, 0

    def __call__(self, *arguments: Any, **options: Any) -> str:
        self.count += 1
        if self.count <= self.failures:
            raise NoAnswer
        return f"{arguments} {options}"


def test_an_attempt_is_repeated_until_it_succeeds(patience: Any) -> None:
    attempts = Attempts(3)
    assert patience.Patience().call(attempts, NoAnswer) == "() {}"
    assert attempts.count == 4


def test_another_error_is_raised_at_once(patience: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        patience.Patience().call(lambda: 1 / 0, NoAnswer)


def test_after_a_wait_in_vain_nobody_waits_before_it_has_worked_again(patience: Any) -> None:
    one, down = patience.Patience(), Attempts(float("inf"))
    begin = time.monotonic()
    with pytest.raises(NoAnswer):
        one.call(down, NoAnswer)
    assert time.monotonic() - begin >= 0.3
    waited = down.count
    with pytest.raises(NoAnswer):
        one.call(down, NoAnswer)
    assert down.count == waited + 1
    one.call(Attempts(0), NoAnswer)
    again = Attempts(2)
    one.call(again, NoAnswer)
    assert again.count == 3


def test_connections_to_the_database_are_repeated(patience: Any) -> None:
    patience.install()
    attempts = Attempts(2)
    dialect = SimpleNamespace(connect=attempts, dbapi=SimpleNamespace(OperationalError=NoAnswer))
    assert patience.listeners["do_connect"](dialect, None, ["x"], {"y": 1}) == "('x',) {'y': 1}"
    assert attempts.count == 3


@pytest.mark.parametrize("scheme", ["http://", "https://"])
def test_requests_to_solr_are_repeated(patience: Any, scheme: str) -> None:
    patience.install()
    solr = patience.pysolr.Solr()
    adapter = solr.get_session().get_adapter(scheme)
    assert solr.get_session().get_adapter(scheme) is adapter
    HttpAdapter.failures = HttpAdapter.unavailable = 2
    assert adapter.send("GET /select", timeout=60).text == "GET /select {'timeout': 60}"
    assert (HttpAdapter.failures, HttpAdapter.unavailable) == (0, 0)


@pytest.mark.parametrize(
    ("url", "options"),
    [("unix:///x", {"db": 1}), ("rediss://redis.example.org", {"db": 1, "socket_connect_timeout": 5.0})],
)
def test_connections_to_redis_are_repeated(patience: Any, url: str, options: dict[str, Any]) -> None:
    patience.install()
    pool = patience.ckan_redis.ConnectionPool.from_url(url, db=1)
    assert (pool.url, pool.options) == (url, options)
    ConnectionPool.failures = 2
    assert pool.get_connection("PING") == "connection for ('PING',)"
    ConnectionPool.failures = 1000
    with pytest.raises(NoAnswer):
        pool.get_connection("PING")
    left = ConnectionPool.failures
    with pytest.raises(NoAnswer):
        pool.get_connection("PING")
    assert ConnectionPool.failures == left - 1
