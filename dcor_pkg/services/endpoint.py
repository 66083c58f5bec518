"""Where one service is, and how CKAN's libraries log in to it: local or external, one shape for all.

The settings alone decide it, and code that needs a service is given its Endpoint and nothing else. An Endpoint holds no
password: it names the file that has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from dcor_pkg.answers.secret import Secret
from dcor_pkg.machine.paths import AUTHORITIES

#: the default port of each scheme of an address
PORTS = {"postgresql": 5432, "redis": 6379, "rediss": 6379, "http": 80, "https": 443}


@dataclass(frozen=True)
class Endpoint:
    """The address of one service, and the user that CKAN is there."""

    #: the setting, and the question, that says where the service is
    key: str
    scheme: str
    host: str
    port: int
    #: of the address: /NAME of a database, /solr/CORE, /NUMBER of a Redis, or the path of a unix socket
    path: str
    user: str
    #: the name of the secret that is the password; empty where the system itself tells who may connect to a socket
    secret: str
    local: bool = False
    #: the name of the secret that is the user, where nobody has chosen one
    user_secret: str = ""
    #: the directory of the unix socket of a local PostgreSQL; libpq takes it in the place of a host
    sockets: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers and clients compare them (RFC 6454)."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    @property
    def address(self) -> str:
        """The address without the user."""
        return f"{self.origin}{self.path}"

    @property
    def name(self) -> str:
        """The name of a database or core, or the number of a Redis database."""
        return self.path.strip("/")

    @property
    def tls(self) -> bool:
        """Whether a connection begins with TLS; PostgreSQL's does not, it changes over to TLS later."""
        return self.scheme in ("https", "rediss")

    @property
    def on_loopback(self) -> bool:
        """Whether the traffic stays on this machine (the near end of a tunnel included)."""
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
        name, password = self.login(secret)
        if self.sockets:
            return f"{self.scheme}://{quote(name, safe='')}@{self.path}{query}"
        login = f"{quote(name, safe='')}:{quote(password.reveal(), safe='')}"
        return f"{self.scheme}://{login}@{self.host}:{self.port}{self.path}{query}"


def from_address(key: str, address: str, secret: str) -> Endpoint:
    """Return the external endpoint of a valid address; `secret` is the name of the secret that is its password."""
    parts = urlsplit(address)
    port = parts.port or PORTS[parts.scheme]
    return Endpoint(key, parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"), parts.username or "", secret)


def postgresql_options(endpoint: Endpoint) -> dict[str, str]:
    """Return libpq's options: where it connects to, and that the server proves who it is before it gets the password.

    By default libpq accepts connections without TLS and any certificate, and sends the password in clear to a server
    that asks for it (libpq, "SSL Support" and "Connection Parameters"). A socket is in a directory of PostgreSQL's.
    Over a network the certificate proves the name. On loopback, at the near end of a tunnel, any user of this machine
    may listen while nobody else does: with `channel_binding` a server has to know the password (SCRAM), and gets none.
    """
    if endpoint.sockets:
        return {"host": endpoint.sockets, "port": str(endpoint.port)}
    if endpoint.on_loopback:
        return {"sslmode": "require", "channel_binding": "require"}
    return {"sslmode": "verify-full", "sslrootcert": AUTHORITIES}


#: The query of an address, by scheme. redis-py 5 verifies the certificate, but not by default whose it is.
OPTIONS: dict[str, Callable[[Endpoint], dict[str, str]]] = {
    "postgresql": postgresql_options,
    "rediss": lambda _: {"ssl_check_hostname": "true"},
    "unix": lambda _: {"db": "0"},
}
