"""Machines on which a server cannot work: how each is made, and the words of its refusal."""

from __future__ import annotations

from dataclasses import dataclass

from postgresql_cluster import LET_START, STOP_FOR_GOOD

CONFIGURE = ("dpkg", "--configure", "-a")
STATE = "/var/lib/dcor-server"
#: in the place of /proc/meminfo, as a machine with so much memory has it
MEMORY = "printf 'MemTotal: {0} kB\\nMemAvailable: {0} kB\\n' >/srv/meminfo; mount --bind /srv/meminfo /proc/meminfo"
POSTGRESQL = "/etc/postgresql/*/main"
RESTART_POSTGRESQL = "systemctl restart 'postgresql@*-main.service'"


@dataclass(frozen=True)
class Kind:
    """A kind of machine: how it is made, and undone; words of the refusal; what runs the configuration; an answer."""

    before: str
    words: tuple[str, ...]
    after: str
    command: tuple[str, ...] = CONFIGURE
    answer: str = ""


def answered(answer: str, *words: str) -> Kind:
    """Return the kind of a machine whose administrator has given this answer."""
    return Kind("true", words, "true", answer=answer)


def changed(file: str, pattern: str, then: str, words: tuple[str, ...]) -> Kind:
    """Return the kind of a machine on which somebody has edited a file, and then run a command."""
    edit = (
        f'for file in {file}; do cp -a $file /srv/$(basename $file).former; sed -E -i "{pattern}" $file; done; {then}'
    )
    undo = f"for file in {file}; do cp -a /srv/$(basename $file).former $file; done; {then}"
    return Kind(edit, words, undo)


HOLD_443 = """
systemd-run --unit=holder python3 -m http.server 443
until ss --no-header --listening --tcp --numeric sport = :443 | grep -q .; do sleep 0.1; done
"""
REFUSED = {
    "no host name": answered("hostname string no host", "dcor-server/hostname", "'no host'", "not a host name"),
    "no kind of certificate": answered(
        "certificate select bought", "dcor-server/certificate", "'bought'", "not one of the choices"
    ),
    "no password": answered("redis-password password two words", "dcor-server/redis-password", "contains spaces"),
    "no path": answered("data-directory string data", "dcor-server/data-directory", "'data'", "not an absolute path"),
    "a file in the way of the data": Kind(
        "touch /srv/file",
        ("/srv/file is not a directory",),
        "rm /srv/file",
        answer="data-directory string /srv/file/data",
    ),
    "a disk that is full": Kind(
        "mkdir /full && mount -t tmpfs -o size=10M,mode=755 tmpfs /full",
        ("/full/data has", "MiB of free space", "df -h"),
        "umount /full && rmdir /full",
        answer="data-directory string /full/data",
    ),
    "another web server": Kind(HOLD_443, ("Port 443 is held by python3", "Stop that program"), "systemctl stop holder"),
    "PostgreSQL stopped for good": Kind(
        STOP_FOR_GOOD,
        ("PostgreSQL does not accept connections", "start.conf says that it does not start by itself", "postgresql@"),
        LET_START,
    ),
    "programs may not run where releases are": Kind(
        f"mount --bind {STATE} {STATE} && mount -o remount,bind,noexec {STATE}",
        ("No program can run from /var/lib/dcor-server/releases", "mounted noexec", "remount,exec"),
        f"umount {STATE}",
    ),
    "root may not give files away, as on NFS": Kind(
        "true",
        ("root cannot make a file of www-data in /: cannot be written", "no_root_squash", "disk of this machine"),
        "true",
        ("setpriv", "--bounding-set=-chown", *CONFIGURE),
    ),
    "1 GiB of memory": Kind(
        MEMORY.format(1_000_000),
        ("This machine has 976 MiB of memory, and a DCOR server needs 1536 MiB", "With 2 GiB"),
        "umount /proc/meminfo",
    ),
    "PostgreSQL's socket elsewhere": changed(
        f"{POSTGRESQL}/postgresql.conf",
        "s,^(unix_socket_directories =).*,\\1 '/srv/sockets',",
        f"install -d -o postgres /srv/sockets; {RESTART_POSTGRESQL}",
        ("has its socket in /srv/sockets, not in /var/run/postgresql", "postgresql.conf, line ", "localhost:5432/NAME"),
    ),
    "PostgreSQL on another port": changed(
        f"{POSTGRESQL}/postgresql.conf",
        "s/^port = 5432/port = 5439/",
        RESTART_POSTGRESQL,
        ("No PostgreSQL cluster of this machine uses port 5432", "uses port 5439", "postgresql.conf, line "),
    ),
    "PostgreSQL asks local users for a password": changed(
        f"{POSTGRESQL}/pg_hba.conf",
        "s/^local +all +all +peer/local all all scram-sha-256/",
        "systemctl reload 'postgresql@*-main.service'",
        (
            "does not let www-data in by its socket: fe_sendauth: no password supplied",
            "pg_hba.conf, line ",
            "before it: local ckan_default www-data peer",
        ),
    ),
    "PostgreSQL asks its superuser for a password": changed(
        f"{POSTGRESQL}/pg_hba.conf",
        "s/^local +all +(all|postgres) +peer/local all \\1 scram-sha-256/",
        "systemctl reload 'postgresql@*-main.service'",
        ("failed as its superuser: fe_sendauth: no password supplied", "local all postgres peer"),
    ),
    "PostgreSQL has the tables of another CKAN": Kind(
        "runuser -u postgres -- createdb ckan_default; "
        "runuser -u postgres -- psql --quiet ckan_default --command 'CREATE TABLE package (id text)'",
        ("ckan_default is not empty, and not this server's", "/etc/dcor-server/take-up-database"),
        "runuser -u postgres -- dropdb ckan_default",
    ),
    "nginx.conf without sites-enabled": changed(
        "/etc/nginx/nginx.conf",
        "/sites-enabled/d",
        "nginx -t",
        ("nginx does not read the sites in /etc/nginx/sites-enabled", "include /etc/nginx/sites-enabled/*;"),
    ),
    "others use /data": Kind(
        "install -d -o nobody -m 2775 /data; touch /data/notes",
        ("/data is used already: it contains notes", "/srv/dcor-server"),
        "rm -r /data",
    ),
}
#: answers that are validated as the host name is; tests/unit/answers has each validator
ALIKE = ("no kind of certificate", "no password", "no path")
