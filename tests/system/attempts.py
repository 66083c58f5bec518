"""What others than root must not be able to do on a server: who, what, and how it is refused.

Each command fails with a refusal that names its reason, so that an attempt on something that is not there any more
(another path, a service that has stopped) does not pass as refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from dcor_dev.machine import Machine

DENIED = "Permission denied"
NOT_PERMITTED = "Operation not permitted"
NOT_ROOT = "has to be run by root"
#: a user with a shell, as a colleague of the admin's has it
LOCAL_USER = "colleague"
ENGINE_USERS = ("redis", "postgres", "dcor-solr", "dcor-store")

CONNECT = "python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "
BIND = "python3 -c 'import socket, sys; socket.socket().bind((\"127.0.0.1\", int(sys.argv[1])))' "
#: PTRACE_ATTACH (16, linux/ptrace.h)
TRACE = """python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, int(sys.argv[1]), None, None):
    sys.exit(os.strerror(ctypes.get_errno()))
' """
WEB = "$(pgrep --oldest --full bin/uwsgi)"
SOLR = "$(systemctl show --value --property=MainPID dcor-solr.service)"
STORE = "$(systemctl show --value --property=MainPID dcor-object-store.service)"


@dataclass(frozen=True)
class Attempt:
    """A command that has to fail, and the words of the refusal."""

    who: str
    command: str
    refusal: str = DENIED

    @property
    def label(self) -> str:
        return f"{self.who}: {self.command}"


def reads(who: str, paths: Iterable[str]) -> list[Attempt]:
    """Return attempts to read files or directories."""
    return [Attempt(who, f"{'ls' if path.endswith('/') else 'cat'} {path}") for path in paths]


def writes(who: str, directories: Iterable[str]) -> list[Attempt]:
    """Return attempts to make a file in a directory."""
    return [Attempt(who, f"touch {directory}/attempt") for directory in directories]


#: files and directories (with / at their end) of root, CKAN and the engines
SECRET = (
    "/etc/dcor-server/dcor-server.conf",
    "/etc/dcor-server/secrets/",
    "/etc/dcor-server/secrets/tls-key.pem",
    "/etc/dcor-server/secrets/filer-key",
    "/etc/dcor-server/secrets/filer-token.conf",
    "/etc/ckan/default/ckan.ini",
    "/var/lib/dcor-server/configurations/*/ckan.ini",
    "/var/cache/debconf/passwords.dat",
    "/var/log/dcor-server/dcor-server.log",
)
OF_ENGINES = {
    "dcor-solr": ("/var/lib/dcor-solr/home/security.json",),
    "dcor-store": ("/etc/dcor-object-store/s3.json", "/etc/dcor-object-store/security.toml", "/data/object-store/"),
    "postgres": ("/var/lib/postgresql/*/main/",),
    "redis": ("/var/lib/redis/",),
}
WRITABLE_BY_ROOT = (
    "/etc",
    "/etc/dcor-server",
    "/etc/dcor-server/ckan.d",
    "/etc/ckan/default",
    "/etc/nginx/conf.d",
    "/etc/systemd/system",
    "/etc/supervisor/conf.d",
    "/usr/share/dcor-server",
    "/usr/lib/ckan/default/bin",
    "/var/lib/dcor-server",
    "/var/lib/dcor-server/pending",
    "/var/lib/dcor-server/current/bin",
    "/var/log/dcor-server",
    "/run/dcor-ckan",
    "/data",
)
OF_CKAN = ("/data/ckan", "/var/lib/ckan", "/var/log/ckan", "/var/cache/dcor-server")
SOCKETS = ("/run/redis-dcor/redis.sock", "/run/dcor-object-store/s3.sock", "/run/dcor-object-store/filer.sock")
#: the store's ports are on the loopback interface of a network namespace of its own
STORE_PORTS = (8080, 8333, 8888, 9333, 18080, 18888, 19333)


def of_others(who: str) -> list[Attempt]:
    """Return what neither a local user nor an engine's user may do to root, to CKAN and to the (other) engines."""
    engines = [path for owner, paths in OF_ENGINES.items() if owner != who for path in paths]
    sockets = [path for path in SOCKETS if who not in path.replace("dcor-object-store", "dcor-store")]
    return [
        *reads(who, (*SECRET, *engines)),
        *writes(who, (*WRITABLE_BY_ROOT, *OF_CKAN)),
        *(Attempt(who, CONNECT + path) for path in (*sockets, "/run/dcor-ckan/*.sock")),
        Attempt(who, f"kill -TERM {WEB}", NOT_PERMITTED),
        Attempt(who, TRACE + WEB, NOT_PERMITTED),
        Attempt(who, f"cat /proc/{WEB}/environ"),
        Attempt(who, f"dd if=/proc/{WEB}/mem bs=1 count=1"),
        Attempt(who, "flock --nonblock /run/dcor-server.lock true"),
        Attempt(who, "flock --nonblock --shared /run/dcor-server.lock true"),
        Attempt(who, "dcor-server status", NOT_ROOT),
        Attempt(who, "dcor-server converge", NOT_ROOT),
        Attempt(who, "dcor-server set site-title=attempt", NOT_ROOT),
        Attempt(who, "ckan user list", "/etc/ckan/default/ckan.ini cannot be read. Run as root"),
    ]


#: what needs one attempt only, as the user without any rights
OF_A_LOCAL_USER = (
    *(Attempt(LOCAL_USER, f"kill -TERM {process}", NOT_PERMITTED) for process in (SOLR, STORE)),
    *(Attempt(LOCAL_USER, TRACE + process, NOT_PERMITTED) for process in (SOLR, STORE)),
    *(
        Attempt(LOCAL_USER, f"systemctl --no-ask-password {verb}", "authentication required|Access denied")
        for verb in ("stop nginx.service", "restart dcor-solr.service", "start dcor-nightly.service", "daemon-reload")
    ),
    Attempt(LOCAL_USER, "curl --silent --fail --show-error http://127.0.0.1:8983/solr/ckan/select?q=*:*", "401"),
    Attempt(LOCAL_USER, "curl --silent --fail --show-error http://127.0.0.1:8983/solr/admin/info/system", "401"),
    Attempt(
        LOCAL_USER,
        'curl --silent --fail --show-error --json \'{"delete": {"query": "*:*"}}\' http://127.0.0.1:8983/solr/ckan/update',
        "401",
    ),
    *(Attempt(LOCAL_USER, f"bash -c '</dev/tcp/127.0.0.1/{port}'", "Connection refused") for port in STORE_PORTS),
    Attempt(LOCAL_USER, "psql --username=postgres --command='select 1'", "Peer authentication failed"),
    Attempt(
        LOCAL_USER,
        "psql --username=ckan_default ckan_default --command='select 1'",
        "authentication failed|no password",
    ),
    Attempt(
        LOCAL_USER,
        "psql --no-password --host=127.0.0.1 --username=ckan_default ckan_default --command='select 1'",
        "no password supplied",
    ),
    *(Attempt(LOCAL_USER, BIND + port, "Address already in use|" + DENIED) for port in ("80", "443", "8983", "5432")),
)
ATTEMPTS = (
    *of_others(LOCAL_USER),
    *OF_A_LOCAL_USER,
    *(attempt for user in ENGINE_USERS for attempt in of_others(user)),
)

RUN = r"""
import json, subprocess, sys
for who, command in json.load(sys.stdin):
    script = ["setpriv", f"--reuid={who}", "--regid=" + subprocess.run(["id", "-g", who], capture_output=True, text=True).stdout.strip(),
              "--init-groups", "--inh-caps=-all", "bash", "-c", command]
    done = subprocess.run(script, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          timeout=60, cwd="/", check=False)
    print(json.dumps([done.returncode, (done.stderr + done.stdout)[-500:]]))
"""


def outcomes(server: Machine, attempts: Iterable[Attempt]) -> dict[Attempt, tuple[int, str]]:
    """Run the commands as their users, and return the exit code and the end of the output of each."""
    chosen = list(attempts)
    server.shell(f"id {LOCAL_USER} >/dev/null 2>&1 || useradd --shell /bin/bash {LOCAL_USER}")
    asked = json.dumps([(attempt.who, attempt.command) for attempt in chosen])
    lines = server.run("python3", "-c", RUN, text=asked, timeout=600).stdout.splitlines()
    return {attempt: tuple(json.loads(line)) for attempt, line in zip(chosen, lines)}
