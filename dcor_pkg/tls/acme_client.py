"""Ask an authority for a certificate by ACME (RFC 8555), with Debian's certbot as the program that speaks it.

certbot has its account, and nothing else, in a directory of its own: the key is ours, and it gets a request that names
the host as commonName (certbot's own requests name none). So it renews nothing by itself; the plan does.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from dcor_pkg.answers.settings import DNS_01
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.language import Message, marked
from dcor_pkg.tls import private_key
from dcor_pkg.tls.acme_state import NotIssued
from dcor_pkg.tls.trust_bundle import BUNDLE

#: the admin's program for dns-01, and what it needs, may be here as well; a purge preserves it
DIRECTORY = f"{paths.CONFIGURATION}/acme"
PRIVATE, PUBLIC = Access(0o700), Access(0o755)
#: called as root: `dns-hook add|remove NAME VALUE`, for a TXT record
HOOK = f"{DIRECTORY}/dns-hook"
ACCOUNT = f"{DIRECTORY}/certbot"
WORK = f"{paths.STATE}/acme"
LOGS = f"{paths.LOGS}/acme"
#: where nginx finds the answers to http-01
WEBROOT = f"{paths.STATE}/nginx/acme"
#: what certbot writes, for as long as it runs
OUTPUT = "/run/dcor-server.acme"
TIMEOUT_SECONDS = 1200.0
#: how lines of certbot begin that do not say what is wrong
CHATTER = ("Saving debug log", "Account registered", "Requesting", "An unexpected error occurred", "Ask for help")
#: no authority accepts an address there
NOWHERE = "@localhost"


@dataclass(frozen=True)
class Order:
    """What is asked for, and where."""

    directory: str
    challenge: str
    email: str
    hostname: str
    #: further DNS names
    names: tuple[str, ...]

    def request(self, key: private_key.Key) -> str:
        """Return a certificate signing request in PEM, with the host name as commonName and all names."""
        names = dict.fromkeys((self.hostname, *self.names))
        return (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.hostname)]))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .sign(key, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
            .decode()
        )


def issue(host: Host, order: Order, key: str) -> str:
    """Return the certificate for a key, followed by those of its issuers, in PEM. Raises DcorError."""
    for directory, access in ((DIRECTORY, PRIVATE), (WEBROOT, PUBLIC), (OUTPUT, PRIVATE)):
        if directory == OUTPUT:
            host.remove_tree(OUTPUT)
        host.make_directory(directory, access)
    try:
        with host.private_file(order.request(private_key.load(key))) as request:
            _run(host, order, request)
        return host.read(f"{OUTPUT}/fullchain.pem") or ""
    finally:
        host.remove_tree(OUTPUT)


def _run(host: Host, order: Order, request: str) -> None:
    contact = ("--register-unsafely-without-email",) if order.email.endswith(NOWHERE) else ("--email", order.email)
    files = [f"--{it}-path={host.path(OUTPUT)}/{it}.pem" for it in ("cert", "chain", "fullchain")]
    try:
        host.run(
            # What the authority says is on standard output, and standard error has something else.
            *("sh", "-c", 'exec "$@" 2>&1', "sh"),
            *("certbot", "certonly", "--non-interactive", "--agree-tos", "--no-eff-email", *contact),
            *("--server", order.directory, "--csr", str(host.path(request)), *files),
            *("--config-dir", ACCOUNT, "--work-dir", WORK, "--logs-dir", LOGS, "--max-log-backups", "20"),
            *_challenge(host, order.challenge),
            environment={"REQUESTS_CA_BUNDLE": str(host.path(BUNDLE))},
            timeout=TIMEOUT_SECONDS,
        )
    except CommandFailed as failure:
        about = {"authority": order.directory, "words": _words(failure)}
        raise NotIssued(
            Message(marked("{authority} has issued no certificate: {words}"), about),
            Message(marked("All that certbot says: {file}"), {"file": f"{LOGS}/letsencrypt.log"}),
        ) from None


def _challenge(host: Host, challenge: str) -> tuple[str, ...]:
    """Return certbot's options. It runs a hook by a shell, with the name and the value in variables (certbot(1))."""
    if challenge != DNS_01:
        return "--webroot", "--webroot-path", str(host.path(WEBROOT)), "--preferred-challenges", "http"
    record = '"_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"'
    hooks = [f"--manual-{when}-hook={HOOK} {act} {record}" for when, act in (("auth", "add"), ("cleanup", "remove"))]
    return "--manual", *hooks, "--preferred-challenges", "dns"


def _words(failure: CommandFailed) -> str:
    """Return what the authority says against it, or the admin's program, or else what certbot says first."""
    lines = [line.strip() for line in failure.hint.splitlines()]
    hooks = [line for line in lines if line.startswith("Hook ") and "reported error code" in line]
    details = [line.partition(":")[2].strip() for line in lines if line.startswith("Detail:")]
    others = [line for line in lines if line and not line.startswith(CHATTER)]
    return "; ".join(dict.fromkeys([*hooks, *details])) or next(iter(others), failure.reason)
