"""Where the four services are that CKAN needs: on this machine, or elsewhere as an answer says. One shape for all.

The settings alone tell it, and who needs a service is given its Endpoint and nothing else. Passwords are not in it:
it names the file that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from urllib.parse import quote, urlencode, urlsplit

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import PASSWORDS, Settings, as_answers
from dcor_pkg.answers.validators import LOCAL
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.paths import AUTHORITIES

#: the port that an address means which names none
PORTS = {"postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443}
#: the questions for the passwords, by that for the address
PASSWORD_OF = {service: question for question, service in PASSWORDS.items()}
#: who CKAN is in our own engines, and the secrets that they know it by; in the store, nobody has chosen the user
DATABASE, DATABASE_PASSWORD = "ckan_default", "database-password"
SOLR_USER, SOLR_PASSWORD = "ckan", "solr-password"
STORE_KEY, STORE_SECRET = "object-store-key", "object-store-secret"
REDIS_SOCKET = "/run/redis-dcor/redis.sock"


@dataclass(frozen=True)
class Endpoint:
    """Where one service is, and who we are there."""

    #: the setting, and the question, that tells where it is
    key: str
    scheme: str
    host: str
    port: int
    #: of an address: /NAME of a database, /solr/CORE, /NUMBER of a Redis
    path: str
    user: str
    #: the name of the secret that is the password; none where a socket's group says who may
    secret: str
    local: bool = False
    #: the name of the secret that is the user, where nobody has chosen one
    user_secret: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers and clients compare them (RFC 6454)."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def address(self) -> str:
        """The address, without who we are."""
        return f"{self.origin}{self.path}"

    @property
    def name(self) -> str:
        """What stands in the address behind the host: a database, a core, a number."""
        return self.path.strip("/")

    @property
    def tls(self) -> bool:
        """Whether a connection begins with TLS; that to PostgreSQL does not, it changes over to it."""
        return self.scheme in ("https", "rediss")

    @property
    def on_loopback(self) -> bool:
        """Whether what we say stays on this machine (a tunnel to elsewhere included)."""
        return self.host == "localhost" or self.host.startswith("127.")

    def login(self, secret: Callable[[str], Secret]) -> tuple[str, Secret]:
        """Return user and password; `secret` reads the secret of a name."""
        user = secret(self.user_secret).reveal() if self.user_secret else self.user
        return user, secret(self.secret) if self.secret else Secret("")

    def url(self, secret: Callable[[str], Secret]) -> str:
        """Return the address as CKAN's libraries take it, with user and password quoted (RFC 3986, section 2)."""
        options = OPTIONS[self.scheme](self) if self.scheme in OPTIONS else {}
        query = f"?{urlencode(options, safe='/')}" if options else ""
        if self.scheme == "unix":
            return f"unix://{self.path}{query}"
        name, text = self.login(secret)
        user, password = quote(name, safe=""), quote(text.reveal(), safe="")
        return f"{self.scheme}://{user}:{password}@{self.host}:{self.port}{self.path}{query}"


def postgresql_tls(endpoint: Endpoint) -> dict[str, str]:
    """Return what libpq is told of TLS: over a network always, and only with a server that can prove its name.

    Left to itself libpq takes what it gets: no TLS, or anybody's. On loopback nobody is between, and Debian's own
    certificate there proves nothing.
    """
    return {} if endpoint.on_loopback else {"sslmode": "verify-full", "sslrootcert": AUTHORITIES}


#: What the libraries have to be told behind the address. redis-py 5 verifies the certificate, but not whose it is.
OPTIONS: dict[str, Callable[[Endpoint], dict[str, str]]] = {
    "postgresql": postgresql_tls,
    "rediss": lambda _: {"ssl_check_hostname": "true"},
    "unix": lambda _: {"db": "0"},
}


@dataclass(frozen=True)
class Services:
    """All of them; iterated in this order."""

    database: Endpoint
    redis: Endpoint
    solr: Endpoint
    object_store: Endpoint

    def __iter__(self) -> Iterator[Endpoint]:
        return iter([getattr(self, item.name) for item in fields(self)])

    @property
    def external(self) -> tuple[Endpoint, ...]:
        """Those that this package does not run."""
        return tuple(endpoint for endpoint in self if not endpoint.local)


def of(settings: Settings) -> Services:
    """Return where everything is, by the settings."""
    answers = as_answers(settings)
    return Services(
        *(here if answers[key] == LOCAL else _external(key, answers[key]) for key, here in _ours(settings).items())
    )


def _ours(settings: Settings) -> dict[str, Endpoint]:
    """Return our own engines, by their settings in the order of Services."""
    own = (
        Endpoint("database", "postgresql", "127.0.0.1", 5432, f"/{DATABASE}", DATABASE, DATABASE_PASSWORD, True),
        Endpoint("redis", "unix", "", 0, REDIS_SOCKET, "", "", True),
        Endpoint("solr", "http", "127.0.0.1", 8983, "/solr/ckan", SOLR_USER, SOLR_PASSWORD, True),
        Endpoint("object-store", "https", settings.hostname, 443, "", "", STORE_SECRET, True, STORE_KEY),
    )
    return {endpoint.key: endpoint for endpoint in own}


def _external(key: str, answer: str) -> Endpoint:
    """Take an answer apart, which the settings have judged."""
    parts = urlsplit(answer)
    port = parts.port or PORTS[parts.scheme]
    secret = secrets.external(PASSWORD_OF[key])
    return Endpoint(key, parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"), parts.username or "", secret)
