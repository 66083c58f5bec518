"""nginx: the one door for browsers and clients, in front of CKAN and of the object store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from dcor_pkg.answers.settings import SELF_SIGNED, Settings
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import admin_files, pending
from dcor_pkg.kernel.managed_file import ManagedFile, ValidatedFiles
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.systemd_service import Service
from dcor_pkg.machine import ports
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import additions as nginx_additions
from dcor_pkg.nginx import upstream
from dcor_pkg.nginx import workers as nginx_workers
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.tls.pair import PAIRS

UNIT = "nginx.service"
RELOAD = f"reload {UNIT}"
SITE = "/etc/nginx/sites-available/dcor"
ENABLED = "/etc/nginx/sites-enabled/dcor"
#: Debian's example. It is the default server, so ours (which refuses foreign names) cannot be.
EXAMPLE = "/etc/nginx/sites-available/default"
EXAMPLE_ENABLED = "/etc/nginx/sites-enabled/default"
EXAMPLE_LINKS = (EXAMPLE, "../sites-available/default")
#: says that the example was enabled before us
EXAMPLE_WAS_ENABLED = "/var/lib/dcor-server/nginx/example-was-enabled"
#: made and filled by nginx; not below the scratch directory, which is www-data's and may be anywhere
CACHE = "/var/cache/nginx-dcor"
#: while it is there, all that we answer is "503, later"
MAINTENANCE = "/var/lib/dcor-server/nginx/maintenance"
#: since this version HTTP/2 is a directive of its own, and a warning behind "listen"
HTTP2_DIRECTIVE = (1, 25, 1)


@dataclass(frozen=True)
class Site:
    """Our site, enabled in the place of Debian's example, and accepted by nginx as a whole."""

    file: ManagedFile
    name: str = "nginx site"

    def check(self, host: Host) -> str | None:
        drift = self.file.check(host)
        if drift is not None:
            return f"{self.file.path} {drift}"
        if host.target(ENABLED) != SITE:
            return "is not enabled"
        if host.target(EXAMPLE_ENABLED) in EXAMPLE_LINKS:
            return "Debian's example answers in its place"
        pending = nginx_additions.pending(host)
        if pending is not None:
            return nginx_additions.refusal(host) or pending
        return nginx_additions.standing_refusal(host)

    def apply(self, host: Host) -> None:
        """Swap all of it, let nginx judge, and put everything back when it refuses."""
        with _put_back_when_refused(host):
            _disable_example(host)
            if host.target(ENABLED) != SITE:
                pending.request(host, RELOAD)
                host.link(ENABLED, SITE)
            if nginx_additions.pending(host) is not None:
                pending.request(host, RELOAD)
                nginx_additions.take(host, admin_files.texts(host, nginx_additions.DIRECTORY, nginx_additions.ENDING))
            ValidatedFiles(self.name, (self.file,), nginx_additions.VALIDATE).apply(host)


class NginxService(Service):
    """The service, whose reload has ended only when nobody is answered by what was before."""

    def apply(self, host: Host) -> None:
        workers = nginx_workers.current(host)
        super().apply(host)
        nginx_workers.await_new(host, workers)


def check_ports(_: Host, __: Proposal) -> None:
    """Raise DcorError where another program listens on nginx's ports."""
    ports.require_free({80: "nginx", 443: "nginx"})


def site(settings: Settings, facts: Facts) -> ManagedFile:
    """Return the one file that holds all of our site."""
    store = endpoints.of(settings).object_store
    values = {
        "store_is_here": store.local,
        # what pages may load from beside this server
        "sources": "" if store.local else f" {store.origin}",
        "hostname": settings.hostname,
        "tls": PAIRS[settings.certificate],
        "trusted": settings.certificate != SELF_SIGNED,
        "registration": settings.registration == "yes",
        "robots": settings.robots == "yes",
        "upstream": upstream.PATH,
        "additions": nginx_additions.DIRECTORY,
        "copies": nginx_additions.COPIES,
        "cache": CACHE,
        "maintenance": MAINTENANCE,
        "filer_token": object_store.TOKEN,
        "ipv6": facts.ipv6,
        "http2_by_listen": facts.nginx < HTTP2_DIRECTIVE,
    }
    return ManagedFile(SITE, "nginx/templates/site.conf", values, then=(RELOAD,))


def take_down(host: Host) -> None:
    """Close our site, and give Debian's example its place back where it had it before us."""
    host.remove(ENABLED)
    if host.exists(EXAMPLE_WAS_ENABLED) and host.exists(EXAMPLE):
        host.link(EXAMPLE_ENABLED, EXAMPLE)
    host.remove(EXAMPLE_WAS_ENABLED)
    workers = nginx_workers.current(host)
    if workers:
        host.run("systemctl", "reload", UNIT)
        nginx_workers.await_new(host, workers)


def _disable_example(host: Host) -> None:
    if host.target(EXAMPLE_ENABLED) in EXAMPLE_LINKS:
        pending.request(host, RELOAD)
        host.write(EXAMPLE_WAS_ENABLED, "", Access(0o644))
        host.remove(EXAMPLE_ENABLED)


@contextlib.contextmanager
def _put_back_when_refused(host: Host) -> Iterator[None]:
    """Restore the links to the sites, and the additions of before, where nginx does not accept the new ones."""
    before = {path: host.target(path) for path in (ENABLED, EXAMPLE_ENABLED)}
    taken = admin_files.texts(host, nginx_additions.COPIES, nginx_additions.ENDING)
    try:
        yield
    except DcorError as error:
        for path, target in before.items():
            _put_back(host, path, target)
        nginx_additions.take(host, taken)
        raise DcorError(error.reason, nginx_additions.named(error.hint)) from None


def _put_back(host: Host, path: str, target: str | None) -> None:
    if target is None and host.target(path) is not None:
        host.remove(path)
    elif target is not None:
        host.link(path, target)
