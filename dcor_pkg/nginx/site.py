"""The site: nginx in front of CKAN and of the object store, the only way in for browsers and clients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from dcor_pkg.answers import server_names
from dcor_pkg.answers.settings import Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import pending
from dcor_pkg.kernel.managed_file import ManagedFile, ValidatedFiles
from dcor_pkg.kernel.pending import RELOAD_NGINX
from dcor_pkg.machine import paths
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Host
from dcor_pkg.nginx import additions, error_pages, example_site, limits, queries, trust_page, upstream
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.tls import nginx_lines, stapling, strict_transport
from dcor_pkg.tls.pair import PAIRS

SITE = "/etc/nginx/sites-available/dcor"
SITES = "/etc/nginx/sites-enabled"
ENABLED = f"{SITES}/dcor"
#: print each file that nginx reads, if it accepts them all
READ = ("nginx", "-T", "-q")
#: nginx.org's own nginx.conf does not, for example
UNREAD = f"nginx does not read the sites in {SITES}."
UNREAD_HINT = f"Add to the block http in /etc/nginx/nginx.conf: include {SITES}/*;"
#: nginx creates and fills it. It is not in the scratch directory, which belongs to www-data and may be anywhere.
CACHE = "/var/cache/nginx-dcor"
#: While this file exists, each request is answered with 503 (Service Unavailable).
MAINTENANCE = f"{paths.STATE}/nginx/maintenance"
#: The curves of Mozilla's profile. From this version on OpenSSL has the first one, whose keys cannot be computed from a
#: recording with a quantum computer either; nginx does not start with the name of a curve that OpenSSL does not have.
HYBRID_CURVE, HYBRID_SINCE = "X25519MLKEM768", (3, 5)
CURVES = ("X25519", "prime256v1", "secp384r1")
#: From this version on HTTP/2 is enabled by a directive of its own; as a parameter of "listen" it causes a warning
#: (nginx, "Module ngx_http_v2_module").
HTTP2_DIRECTIVE = (1, 25, 1)


@dataclass(frozen=True)
class Site:
    """The site's file and the admin's additions: accepted by nginx, and enabled instead of Debian's example."""

    file: ManagedFile
    name: str = "nginx site"

    def check(self, host: Host) -> str | None:
        drift = self.file.check(host)
        if drift is not None:
            return f"{self.file.path} {drift}"
        if host.target(ENABLED) != SITE:
            return "is not enabled"
        if example_site.is_enabled(host):
            return "Debian's example site is enabled as well"
        changed = additions.check(host)
        if changed is not None:
            return additions.error(host) or changed
        error = additions.configuration_error(host)
        return UNREAD if error is None and not is_read(host.run(*READ)) else error

    def apply(self, host: Host) -> None:
        """Replace everything, let nginx validate it, and restore everything if nginx rejects it."""
        with _restored_on_error(host):
            example_site.disable(host)
            if host.target(ENABLED) != SITE:
                pending.request(host, RELOAD_NGINX)
                host.link(ENABLED, SITE)
            if additions.check(host) is not None:
                pending.request(host, RELOAD_NGINX)
                additions.replace_copies(host, additions.current(host))
            ValidatedFiles(self.name, (self.file,), additions.VALIDATE).apply(host)
            if not is_read(host.run(*READ)):
                raise DcorError(UNREAD, UNREAD_HINT)


def is_read(files: str) -> bool:
    """Return whether the site, or the link to it, is among the files that nginx reads, as READ prints them."""
    return any(f"# configuration file {path}:\n" in files for path in (ENABLED, SITE))


def site(settings: Settings, facts: Facts) -> ManagedFile:
    """Return the site's file."""
    store = endpoints.of(settings).object_store
    workers = limits.workers(settings, facts)
    values = {
        "local_store": store.local,
        # origins besides this server that pages may load images and data from
        "sources": "" if store.local else f" {store.origin}",
        "hostname": settings.hostname,
        "names": list(dict.fromkeys((settings.hostname, *server_names.dns_names(settings.certificate_names)))),
        "addresses": [_literal(address) for address in server_names.addresses(settings.certificate_names)],
        "tls": PAIRS[settings.certificate],
        "curves": ":".join((*((HYBRID_CURVE,) if facts.openssl >= HYBRID_SINCE else ()), *CURVES)),
        "stapling": nginx_lines.included(stapling.LINES),
        "strict_transport": nginx_lines.included(strict_transport.LINES),
        "registration": settings.registration == "yes",
        "robots": settings.robots == "yes",
        "health": settings.health_from != "none",
        "health_seconds": limits.HEALTH_SECONDS,
        "health_networks": () if settings.health_from == "all" else settings.health_from.split(","),
        "upstream": upstream.PATH,
        "additions": additions.DIRECTORY,
        "copies": additions.COPIES,
        "cache": CACHE,
        "maintenance": MAINTENANCE,
        "filer_token": object_store.TOKEN,
        "page": queries.encoded("page"),
        "page_digits": queries.PAGE_DIGITS,
        "limit": queries.encoded("limit"),
        "rates": limits.rates(workers),
        "concurrencies": limits.concurrencies(workers),
        "timeouts": limits.Timeouts(),
        "retry_after": limits.RETRY_AFTER_SECONDS,
        "slow_seconds": limits.SLOW_SECONDS,
        "error_pages": error_pages.PAGES,
        "error_directory": error_pages.DIRECTORY,
        "trust_files": trust_page.FILES,
        "trust_directory": trust_page.DIRECTORY,
        "ipv6": facts.ipv6,
        "http2_by_listen": facts.nginx < HTTP2_DIRECTIVE,
    }
    return ManagedFile(SITE, "nginx/templates/site.conf", values, then=(RELOAD_NGINX,))


def _literal(address: server_names.Address) -> str:
    """Return an IP address as the Host header has it (RFC 3986, section 3.2.2)."""
    return f"[{address}]" if address.version == 6 else str(address)


@contextlib.contextmanager
def _restored_on_error(host: Host) -> Iterator[None]:
    """Restore the links to the sites and the copies of the additions if nginx rejects the new ones."""
    links = {path: host.target(path) for path in (ENABLED, example_site.ENABLED)}
    copies = additions.copies(host)
    try:
        yield
    except DcorError as error:
        for path, target in links.items():
            _restore_link(host, path, target)
        additions.replace_copies(host, copies)
        raise DcorError(error.reason, additions.with_admin_paths(error.hint)) from None


def _restore_link(host: Host, path: str, target: str | None) -> None:
    if target is None and host.target(path) is not None:
        host.remove(path)
    elif target is not None:
        host.link(path, target)
