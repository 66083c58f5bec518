"""The object store: its credentials, and its volumes in DATA.

Its filer would let everybody who reaches its socket read and delete everything, so it asks for tokens;
nginx has one that can only read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from dcor_pkg.answers.secret import Secret
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.data_directory import marker
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.pending import RELOAD_NGINX, request
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.services import endpoint as services

UNIT = "dcor-object-store.service"
RESTART = f"restart {UNIT}"

#: where S3 answers
S3 = "/run/dcor-object-store/s3.sock"

#: CKAN's, for S3
KEY, SECRET = services.STORE_KEY, services.STORE_SECRET
#: what the filer's tokens are signed with
FILER_KEY = "filer-key"
FILER_READ_KEY = "filer-read-key"

#: what nginx includes where it asks the filer
TOKEN = f"{secrets.DIRECTORY}/filer-token.conf"

VOLUMES = Access(0o700, "dcor-store", "dcor-store")
OF_STORE = Access(0o640, "root", "dcor-store")


def steps(data: str) -> tuple[Step, ...]:
    """Return the steps for its configuration; its volumes lie in the directory `data`."""
    values = {"directory": f"{data}/object-store", "marker": marker(data)}
    return (
        *(RandomSecret(name) for name in (KEY, SECRET, FILER_KEY, FILER_READ_KEY)),
        Directory(values["directory"], VOLUMES),
        ManagedFile(
            f"/etc/systemd/system/{UNIT}.d/dcor-server.conf",
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
            "/etc/dcor-object-store/s3.json",
            "services/object_store/templates/s3.json",
            access=OF_STORE,
            then=(RESTART,),
        ),
        FilerToken(),
    )


@dataclass(frozen=True)
class FilerToken:
    """The header with which nginx reads an object that is public."""

    name: str = "filer token of nginx"

    def check(self, host: Host) -> str | None:
        if host.read(TOKEN) != _header(host):
            return "is missing" if not host.exists(TOKEN) else "does not fit the filer's key"
        return host.access_drift(TOKEN, secrets.ACCESS)

    def apply(self, host: Host) -> None:
        request(host, RELOAD_NGINX)
        host.write(TOKEN, _header(host), secrets.ACCESS)


def read_token(key: Secret) -> str:
    """Return a token (RFC 7519) that lets its bearer read objects, and is good until the key changes.

    SeaweedFS asks for no time of expiry; it understands the two claims (SeaweedFilerClaims in its weed/security/jwt.go).
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
