"""The local object store: its credentials, and its volumes in the data directory.

Without tokens its filer would let everybody who reaches its socket read and delete everything. nginx has a token that
can only read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel import managed_file, secrets
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.instance import marker
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.pending import RELOAD_NGINX, request
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import unix_http
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import SYSTEMD_UNITS
from dcor_pkg.services.endpoint import Endpoint

UNIT = "dcor-object-store.service"
RESTART = f"restart {UNIT}"

#: the unix sockets on which S3 and the filer answer, and how they refuse whoever does not say who it is
S3, FILER = "/run/dcor-object-store/s3.sock", "/run/dcor-object-store/filer.sock"
REFUSALS = {S3: 403, FILER: 401}

#: the names of the secrets with which CKAN signs its requests: nobody has chosen the user either
KEY, SECRET = "object-store-key", "object-store-secret"
#: the names of the secrets that sign the filer's tokens
FILER_KEY = "filer-key"
FILER_READ_KEY = "filer-read-key"

#: the file that nginx includes where it asks the filer
TOKEN = f"{secrets.DIRECTORY}/filer-token.conf"

#: the file with CKAN's credentials
CREDENTIALS = "/etc/dcor-object-store/s3.json"
#: for the removal plan: where the package keeps what is not in the data directory
DATA = (f"stop {UNIT}", "tree /var/lib/dcor-object-store")

VOLUMES = Access(0o700, "dcor-store", "dcor-store")
OF_STORE = Access(0o640, "root", "dcor-store")


def endpoint(settings: Settings) -> Endpoint:
    """Return where the local store is: under the server's public name, which is part of a presigned URL."""
    return Endpoint("object-store", "https", settings.hostname, 443, "", "", SECRET, local=True, user_secret=KEY)


def steps(settings: Settings) -> tuple[Step, ...]:
    """Return the steps that configure it; its volumes are in the data directory."""
    values = {"directory": f"{settings.data}/object-store", "marker": marker(settings.data)}
    return (
        *(RandomSecret(name) for name in (KEY, SECRET, FILER_KEY, FILER_READ_KEY)),
        Directory(values["directory"], VOLUMES),
        ManagedFile(
            f"{SYSTEMD_UNITS}/{UNIT}.d/dcor-server.conf",
            "services/object_store/templates/unit.conf",
            values,
            then=(RESTART,),
        ),
        ManagedFile(
            "/etc/dcor-object-store/security.toml",
            "services/object_store/templates/security.toml",
            access=OF_STORE,
            then=(RESTART,),
        ),
        ManagedFile(
            CREDENTIALS,
            "services/object_store/templates/s3.json",
            access=OF_STORE,
            then=(RESTART,),
        ),
        FilerToken(),
    )


def was_used(host: Host) -> bool:
    """Return whether the local store was ever configured."""
    return managed_file.is_recorded(host, CREDENTIALS)


def problem(host: Host, _: Endpoint) -> str | None:
    """Return why the local store does not answer, or None: what is up, and locked, denies an unsigned request."""
    for socket, status in REFUSALS.items():
        answer = unix_http.get(str(host.path(socket)), "/", "localhost")
        if answer.status != status:
            return f"answers {answer.status} instead of {status} at {socket} ({answer.body[:60]})"
    return None


@dataclass(frozen=True)
class FilerToken:
    """The header with which nginx reads public objects from the filer."""

    name: str = "filer token of nginx"

    def check(self, host: Host) -> str | None:
        if host.read(TOKEN) != _header(host):
            return "is missing" if not host.exists(TOKEN) else "was signed with another key than the filer's"
        return host.access_drift(TOKEN, secrets.ACCESS)

    def apply(self, host: Host) -> None:
        request(host, RELOAD_NGINX)
        host.write(TOKEN, _header(host), secrets.ACCESS)


def read_token(key: Secret) -> str:
    """Return a token (RFC 7519) that lets its bearer read objects, and is valid until the key changes.

    SeaweedFS does not require an expiry time, and understands these two claims (SeaweedFilerClaims in its
    weed/security/jwt.go).
    """
    claims = {"allowed_prefixes": ["/buckets"], "allowed_methods": ["GET", "HEAD"]}
    signed = f"{_base64url(_compact({'alg': 'HS256', 'typ': 'JWT'}))}.{_base64url(_compact(claims))}"
    return f"{signed}.{_base64url(hmac.new(key.reveal().encode(), signed.encode(), hashlib.sha256).digest())}"


def _header(host: Host) -> str:
    return f'proxy_set_header Authorization "Bearer {read_token(secrets.read(host, FILER_READ_KEY))}";\n'


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
