"""A real nginx with the package's site, stubs of CKAN and of the object store; it needs no root and no fixed port."""

from __future__ import annotations

import getpass
import grp
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dcor_dev import cache

from dcor_pkg.answers.settings import Settings
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import additions as nginx_additions
from dcor_pkg.nginx import error_pages, trust_page, upstream
from dcor_pkg.nginx import site as nginx
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.tls import stapling
from dcor_pkg.tls import steps as tls
from tests.unit.nginx.backends import Backend, listening, uwsgi
from tests.unit.nginx.backends import http as speaks_http

NAME = "dcor.example.org"
DATASET = "8b3a1f26-33c2-4d4f-9c6b-52d5b0d5a1b7"
RESOURCE = "89bf2177-ffeb-9893-83cc-b619fc2f6663"
SETTINGS = Settings(hostname=NAME)
#: nginx takes the address that a client names here for its real one, so that tests can be many clients
ADDRESS_HEADER = "X-Test-Address"

MAIN = """\
daemon off;
user {user} {group};
pid {root}/pid;
error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    ssl_protocols TLSv1 TLSv1.2;
    set_real_ip_from 127.0.0.1;
    real_ip_header {address_header};
    gzip on;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    uwsgi_temp_path {root}/uwsgi;
    fastcgi_temp_path {root}/fastcgi;
    scgi_temp_path {root}/scgi;
    include {root}/site.conf;
}}
"""

#: an example of an admin's addition in nginx.d; its page replaces ours
ADDITION = """\
error_page 504 /own;
location = /too-slow {
    return 504;
}
location = /own {
    set $dcor_content_security "script-src https://cdn.example.org";
    return 200 "own";
}
"""


@dataclass(frozen=True)
class Answer:
    """An answer of nginx; status 0 if the connection was closed without one."""

    status: int
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class NginxServer:
    """The running nginx, and the stubs behind it."""

    root: Path
    plain: int
    tls: int
    ckan: Backend = field(default_factory=Backend)
    s3: Backend = field(default_factory=Backend)
    filer: Backend = field(default_factory=Backend)

    def ask(
        self,
        target: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        name: str = NAME,
        tls: bool = True,
    ) -> Answer:
        """Send a request with its target as it is: no library normalises the path."""
        connection = http.client.HTTPConnection(name, timeout=15)
        connection.sock = self.connect(name) if tls else _connection(self.plain)
        try:
            connection.request(method, target, body or None, dict(headers or {}))
            answer = connection.getresponse()
            found = {key.lower(): ", ".join(answer.headers.get_all(key, [])) for key in answer.headers}
            return Answer(answer.status, answer.reason, found, answer.read())
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
            return Answer(0)
        finally:
            connection.close()

    def ask_plainly(self, request: bytes, port: int | None = None) -> str:
        """Send bytes without TLS to a port, the one for HTTP by default, and return all that is answered."""
        with _connection(port or self.plain) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")

    def connect(self, name: str = NAME, protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLSocket:
        """Open a TLS connection that asks for the server `name`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without authorities, because loading them takes long
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(list(protocols))
        return context.wrap_socket(_connection(self.tls), server_hostname=name)


def _connection(port: int) -> socket.socket:
    """Connect to a port; what is sent leaves at once, where a body would wait 40 ms for the receipt of its header."""
    connection = socket.create_connection(("127.0.0.1", port), 15)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def program() -> Path:
    """Return nginx: the installed one, or one that is unpacked only, so that no service is started."""
    installed = Path("/usr/sbin/nginx")
    return installed if installed.exists() else cache.directory("nginx", "program", _unpack) / "usr/sbin/nginx"


def version(of: Path) -> tuple[int, ...]:
    """Return the version of an nginx."""
    printed = subprocess.run([of, "-v"], capture_output=True, text=True, check=True).stderr
    return tuple(int(part) for part in re.findall(r"nginx/([0-9.]+)", printed)[0].split("."))


def facts(nginx_version: tuple[int, ...], *, ipv6: bool = False, openssl: tuple[int, ...] = (3, 0, 17)) -> Facts:
    """Return the facts of a machine with an nginx of that version."""
    return Facts("2.11.6", "0" * 64, "3.11.2", nginx_version, ipv6=ipv6, cores=2, memory=4096, openssl=openssl)


@contextmanager
def opened(host: Host, edit: Callable[[str], str] = str, settings: Settings = SETTINGS) -> Iterator[NginxServer]:
    """Start nginx and the stubs.

    The path of `host` has to be short, because that of a socket has 107 characters at most. `edit` changes the site's
    text, for example a time that is too long for a test.
    """
    plain, tls = _free_ports(2)
    server = NginxServer(host.root, plain, tls)
    _write_files(host, server, edit, settings)
    with ExitStack() as stack:
        stack.enter_context(listening(server.ckan, host.root / "web.sock", uwsgi))
        stack.enter_context(listening(server.s3, host.path("/run/dcor-object-store/s3.sock"), speaks_http))
        stack.enter_context(listening(server.filer, host.path("/run/dcor-object-store/filer.sock"), speaks_http))
        running = subprocess.Popen([program(), "-c", f"{host.root}/nginx.conf", "-e", f"{host.root}/error.log"])
        try:
            _wait(server, running)
            yield server
        finally:
            running.terminate()
            running.wait(timeout=10)


def _write_files(host: Host, server: NginxServer, edit: Callable[[str], str], settings: Settings) -> None:
    for directory in ("/var/cache", "/var/log/nginx", "/var/empty"):
        host.path(directory).mkdir(parents=True)
    for step in tls.steps(settings, facts(version(program()))):
        step.apply(host)
    if (text := host.read(stapling.FILE)) is not None:
        host.write(stapling.FILE, text.replace("/etc/", f"{host.root}/etc/"), Access(0o644))
    host.write(upstream.PATH, upstream.block(f"{host.root}/web.sock"), Access(0o644))
    host.write(object_store.TOKEN, 'proxy_set_header Authorization "Bearer filer-token";\n', Access(0o600))
    host.write(
        "/nginx.conf",
        MAIN.format(
            root=host.root,
            user=getpass.getuser(),
            group=grp.getgrgid(os.getgid()).gr_name,
            address_header=ADDRESS_HEADER,
        ),
        Access(0o644),
    )
    host.write(f"{nginx_additions.COPIES}/own.conf", ADDITION, Access(0o644))
    for page in error_pages.error_pages(settings).files:
        host.write(page.path, page.text(host), Access(0o644))
    trust_page.trust_page(settings).apply(host)
    text = edit(nginx.site(settings, facts(version(program()))).text(host))
    text = re.sub(r"(?<=[ :])(?=/(?:etc|run|var)/)", str(host.root), text)
    for port, own in (("80", server.plain), ("443", server.tls)):
        text = re.sub(rf"listen {port}\b", f"listen 127.0.0.1:{own}", text)
    host.write("/site.conf", text, Access(0o644))
    shutil.copy(_parameters(), host.root / "uwsgi_params")


def _parameters() -> Path:
    return program().parents[2] / "etc/nginx/uwsgi_params"


def _unpack(target: Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["apt-get", "-q", "download", "nginx", "nginx-common"], cwd=directory, check=True)
        for package in Path(directory).glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, target], check=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _wait(server: NginxServer, running: subprocess.Popen[bytes], timeout_seconds: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_seconds
    while running.poll() is None and time.monotonic() < deadline:
        try:
            server.connect().close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError((server.root / "error.log").read_text())
