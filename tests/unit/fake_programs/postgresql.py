"""A fake of PostgreSQL 15 with Debian's clusters: psql, pg_isready and pg_lsclusters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace

from dcor_pkg.machine.host import Access, Host
from tests.unit.fake_programs.call import Call, Handler
from tests.unit.fake_programs.systemd import Systemd, Unit

UNIT = "postgresql@15-main.service"
START = "/etc/postgresql/15/main/start.conf"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/dcor-server.conf"
#: of a cluster of the former version of PostgreSQL
FORMER_DROP_IN = "/etc/systemd/system/postgresql@13-main.service.d/dcor-server.conf"


POSTGRES = Access(0o644, "postgres", "postgres")


def unit_of(version: str) -> str:
    """Return the unit of the cluster main of a version."""
    return f"postgresql@{version}-main.service"


def start_of(version: str) -> str:
    """Return the file start.conf of the cluster main of a version."""
    return f"/etc/postgresql/{version}/main/start.conf"


@dataclass
class Database:
    """A database, with what CKAN has in it."""

    owner: str
    encoding: str = "UTF8"
    #: the role as which CKAN's user works in it
    works_as: str = "www-data"
    #: of CKAN's tables; None where there are none
    revision: str | None = None
    #: of the tables of plugins that were ever migrated, by plugin
    plugins: dict[str, str] = field(default_factory=dict)
    datasets: int = 0
    #: the ids of circles
    circles: set[str] = field(default_factory=set)
    #: its number in the cluster
    oid: int = 16384
    #: the rows of CKAN's table system_info
    options: dict[str, str] = field(default_factory=dict)
    #: whether it takes connections, and refuses writes
    connectable: bool = True
    read_only: bool = False
    #: the names of CKAN's tokens in it
    tokens: set[str] = field(default_factory=set)


@dataclass
class OtherCluster:
    """A cluster NAME main of another version, by its port; a half one has none."""

    port: int
    databases: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    #: tables in the database postgres
    tables: int = 0


@dataclass
class Postgresql:
    """The cluster 15/main: roles with their passwords (local ones have none), and databases; and external servers."""

    host: Host
    systemd: Systemd
    roles: dict[str, str] = field(default_factory=dict)
    #: those that may not log in although CKAN's user should
    without_login: set[str] = field(default_factory=set)
    databases: dict[str, Database] = field(default_factory=dict)
    #: the databases of external servers, by the names of their hosts; their roles are among `roles`
    external: dict[str, set[str]] = field(default_factory=dict)
    #: comments on "DATABASE NAME" and "ROLE NAME"
    comments: dict[str, str] = field(default_factory=dict)
    #: what its configuration says: port, directory of the socket, rights of the superuser
    port: int = 5432
    socket: str = "/var/run/postgresql"
    rights: str = "on off"
    #: how it refuses CKAN's user, whatever exists, and by which rule
    refusal: str = ""
    rule: str = "/etc/postgresql/15/main/pg_hba.conf, line 118, peer"
    #: the objects of files that CKAN's database names
    objects: list[str] = field(default_factory=list)
    #: the version of the cluster on our port, and the clusters beside it, by version
    version: str = "15"
    others: dict[str, OtherCluster] = field(default_factory=dict)
    #: what pg_upgradecluster says when it fails; whether it loses a row, which it does not notice
    upgrade_fails: str = ""
    upgrade_loses: bool = False
    #: the numbers of rows of ckan_default's tables
    rows: dict[str, int] = field(default_factory=lambda: {"public.package": 3})
    #: the version of the order of texts, of the indexes of ckan_default and of the system; C.UTF-8 has none
    order: str = "2.36"
    order_of_system: str = "2.36"
    #: the SQL that has changed rows
    updates: list[str] = field(default_factory=list)

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {
            "psql": self.psql,
            "pg_isready": self.is_ready,
            "pg_lsclusters": self.clusters,
            "pg_dump": self.dump,
            "pg_upgradecluster": self.upgrade,
            "pg_dropcluster": self.drop_cluster,
            "pg_conftool": self.set_port,
            "pg_ctlcluster": self.stop_cluster,
            "sed": self.socket_directory,
        }

    @property
    def unit(self) -> str:
        """The unit of the cluster on our port."""
        return unit_of(self.version)

    def upgrade(self, call: Call) -> str:
        """Do what pg_upgradecluster of postgresql-common 278 does; it is done for a part only where it fails."""
        new, (old, name) = call.option("--version"), call.words
        assert (call.option("--method"), old, name, call.user) == ("dump", self.version, "main", None), call.argv
        if new in self.others:
            raise call.failure(1, f"Error: target cluster {new}/main already exists\n")
        if "--check" in call.options:
            return "pg_upgradecluster pre-upgrade checks ok\n"
        if self.upgrade_fails:
            raise call.failure(1, self.upgrade_fails)
        self.systemd.units[self.unit].active = "inactive"
        self.host.write(start_of(old), "# This cluster was upgraded\n\nmanual\n", POSTGRES)
        self.others[old], self.version = OtherCluster(5433), new
        self.systemd.units[self.unit] = Unit("active")
        self.host.write(start_of(new), "auto\n", POSTGRES)
        if self.upgrade_loses:
            self.rows["public.package"] -= 1
        return "Success.\n"

    def drop_cluster(self, call: Call) -> str:
        """Drop a cluster; with ours, nobody uses our port any more."""
        version, name = call.words
        assert (name, call.user) == ("main", None), call.argv
        if "--stop" not in call.options and self.systemd.is_active(unit_of(version)):
            raise call.failure(1, "Error: This cluster is still running. Stop it or supply the --stop option\n")
        self.systemd.units.pop(unit_of(version), None)
        self.host.remove(start_of(version))
        if version == self.version:
            self.version = ""
        else:
            del self.others[version]
        return ""

    def set_port(self, call: Call) -> str:
        """Let the cluster that an upgrade has left use our port again, with the rows that it has kept."""
        version = call.words[0]
        assert (call.words, call.user, self.version) == ((version, "main", "set", "port", "5432"), "postgres", "")
        del self.others[version]
        self.version = version
        self.rows["public.package"] += self.upgrade_loses
        return ""

    def stop_cluster(self, call: Call) -> str:
        """Stop a cluster that was not started by its unit."""
        assert call.options == ("--skip-systemctl-redirect", "--mode=fast"), call.argv
        self.systemd.units[unit_of(call.words[0])].active = "inactive"
        return ""

    def socket_directory(self, call: Call) -> str:
        """Print the fifth line of postmaster.pid."""
        assert (call.user, call.words) == ("postgres", ("5p", "/var/lib/postgresql/15/main/postmaster.pid")), call.argv
        return f"{self.socket}\n"

    def dump(self, call: Call) -> str:
        """Write a file that pg_dump(1) would write."""
        if not call.words:
            login = dict(part.split("=", 1) for part in call.option("--dbname").split())
            is_external = login["host"] in self.external
            assert (call.user, "passfile" in login) == ((None, True) if is_external else ("postgres", False)), call.argv
            return f"PGDMP {self.databases[login['dbname']].revision}"
        assert call.user == "postgres", call.argv
        assert call.words[0] in self.databases, call.argv
        self.host.write(call.option("--file"), "PGDMP", Access(0o600, "postgres", "postgres"))
        return ""

    def stop_for_good(self) -> None:
        """Stop the cluster as an administrator does who does not want it to start again."""
        self.host.write(START, "# no\ndisabled\n", Access(0o644, "postgres", "postgres"))
        self.systemd.units[UNIT].active = "inactive"

    def is_ready(self, call: Call) -> str:
        """Answer pg_isready(1): 2 means that there was no answer."""
        if not self.systemd.answers(self.unit) or self.socket != "/var/run/postgresql":
            raise call.failure(2, "")
        return ""

    def clusters(self, call: Call) -> str:
        """Answer as pg_lsclusters of postgresql-common 248 does. It reads files that postgres could exchange."""
        assert call.user == "postgres", call.argv
        ports = {
            **({self.version: self.port} if self.version else {}),
            **{it: self.others[it].port for it in self.others},
        }
        return "".join(self._line(version, ports[version]) for version in sorted(ports))

    def _line(self, version: str, port: int) -> str:
        status = "online" if self.systemd.is_active(unit_of(version)) else "down"
        log = f"/var/log/postgresql/postgresql-{version}-main.log"
        shown = port or "<unknown>"
        return f"{version} main {shown} {status} postgres /var/lib/postgresql/{version}/main {log}\n"

    def psql(self, call: Call) -> str:
        """Carry out the SQL on the standard input, as the superuser or as a role with a password."""
        login = dict(part.split("=", 1) for part in call.option("--dbname").split() if "=" in part)
        is_external = call.user is None and login["host"] in self.external
        address = f'at "{login["host"]}", port 5432' if is_external else "on socket"
        if not is_external and not self.systemd.answers(self.unit):
            raise call.failure(
                2,
                f"psql: error: connection to server {address} failed: Connection refused\n"
                "\tIs the server running locally and accepting connections on that socket?\n",
            )
        if call.user == "postgres":
            return self._answer_superuser(call, login)
        failed = f"psql: error: connection to server {address} failed: "
        if is_external:
            self._check_password(call, login, failed)
        elif (call.user, login["host"]) != (login["user"], "/var/run/postgresql"):
            raise call.failure(2, f'{failed}FATAL:  Peer authentication failed for user "{login["user"]}"\n')
        elif self.refusal:
            raise call.failure(2, f"{failed}{self.refusal}\n")
        self._check_role(call, login["user"], failed)
        if login["dbname"] not in self.external.get(login["host"], self.databases):
            raise call.failure(2, f'{failed}FATAL:  database "{login["dbname"]}" does not exist\n')
        return self._answer(call, ROLE, self._connected(call, login["dbname"], failed))

    def _answer_superuser(self, call: Call, login: dict[str, str]) -> str:
        for other in self.others.values():
            if str(other.port) == login["port"]:
                return self._answer_of_other(call, other)
        assert (login["host"], login["port"]) == ("/var/run/postgresql", "5432"), call.argv
        return self._answer(call, SUPERUSER, self.databases.get(login["dbname"]))

    def _answer_of_other(self, call: Call, other: OtherCluster) -> str:
        if "FROM pg_roles WHERE rolname <> 'postgres'" in call.text:
            made = [*(f"database {it}" for it in other.databases), *(f"role {it}" for it in other.roles)]
            return "".join(f"{it}\n" for it in made)
        if call.text.startswith("SELECT count(*) FROM pg_class JOIN pg_namespace"):
            return f"{other.tables if 'dbname=postgres' in call.option('--dbname') else 0}\n"
        raise call.unknown()

    def _connected(self, call: Call, name: str, failed: str) -> Database:
        if not self.databases[name].connectable:
            raise call.failure(2, f'{failed}FATAL:  database "{name}" is not currently accepting connections\n')
        return self.databases[name]

    def _check_role(self, call: Call, role: str, failed: str) -> None:
        if role not in self.roles:
            raise call.failure(2, f'{failed}FATAL:  role "{role}" does not exist\n')
        if role in self.without_login:
            raise call.failure(2, f'{failed}FATAL:  role "{role}" is not permitted to log in\n')

    def _check_password(self, call: Call, login: dict[str, str], failed: str) -> None:
        """Let in whom the password file lets in; what psql says else was seen with PostgreSQL 15."""
        line = ":".join(login[part] for part in ("host", "port", "dbname", "user"))
        passfile = self.host.read(login["passfile"]) or ""
        passwords = [it.rpartition(":")[2] for it in passfile.splitlines() if it.startswith(f"{line}:")]
        if not passwords:
            raise call.failure(2, f"{failed}fe_sendauth: no password supplied\n")
        if self.roles.get(login["user"]) != passwords[0]:
            raise call.failure(2, f'{failed}FATAL:  password authentication failed for user "{login["user"]}"\n')

    def _answer(self, call: Call, known: dict[str, Answer], database: Database | None) -> str:
        for pattern, answer in known.items():
            found = re.fullmatch(pattern, call.text, re.DOTALL)
            if found is not None:
                return f"{answer(self, call, database, found)}\n"
        raise call.unknown()


Answer = Callable[[Postgresql, Call, "Database | None", "re.Match[str]"], object]


def _create_role(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    assert found[1] not in self.roles, call.text
    self.roles[found[1]] = ""
    self.comments[f"ROLE {found[1]}"] = found[2]
    return ""


def _marks(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    name, login = found[1], found[2]
    lines = [f"database|{self.comments.get(f'DATABASE {name}', '')}"] if name in self.databases else []
    roles = {"owner": name, "login": login}
    return "\n".join(
        [
            *lines,
            *(f"{key}|{self.comments.get(f'ROLE {role}', '')}" for key, role in roles.items() if role in self.roles),
        ]
    )


def _relations(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> int:
    assert database is not None, call.argv
    return 0 if database.revision is None else 70


def _comment(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    kind, name = found[1], found[2].strip('"')
    assert name in (self.databases if kind == "DATABASE" else self.roles), call.text
    self.comments[f"{kind} {name}"] = found[3]
    return ""


def _describe(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    assert database is not None
    name = next(name for name, it in self.databases.items() if it is database)
    return f"{database.works_as} {database.encoding} {self.comments.get(f'DATABASE {name}', '')}"


def _grant(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    assert {found[1], found[2]} <= set(self.roles), call.text
    return ""


def _let_log_in(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    assert found[1] in self.roles, call.text
    self.without_login.discard(found[1])
    return ""


def _work_as(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    assert {found[1], found[3]} <= set(self.roles), call.text
    self.databases[found[2]].works_as = found[3]
    return ""


def _create(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    assert found[1] not in self.databases, call.text
    self.databases[found[1]] = Database(found[2], found[3])
    return ""


def _copy(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    """Copy a database as TEMPLATE does: without what belongs to the cluster."""
    name, owner, template = found.groups()
    assert name not in self.databases, call.text
    oid = max(it.oid for it in self.databases.values()) + 1
    copied = replace(deepcopy(self.databases[template]), oid=oid, works_as="www-data", read_only=False)
    self.databases[name] = replace(copied, owner=owner)
    return ""


def _copy_settings(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    self.databases[found[1]].works_as = self.databases[found[2]].works_as
    return ""


def _exchange(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    """Carry out `copies.exchange`, whose transaction changes all or nothing."""
    name, aside, incoming = found[1], found[2], found[3]
    assert aside not in self.databases, call.text
    for old, new in ((name, aside), (incoming, name)):
        self.databases[new] = self.databases.pop(old)
        self.comments[f"DATABASE {new}"] = self.comments.pop(f"DATABASE {old}")
    self.databases[aside].connectable = False
    self.databases[name].connectable, self.databases[name].read_only = True, False
    return ""


def _drop(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    self.databases.pop(found[1], None)
    self.comments.pop(f"DATABASE {found[1]}", None)
    return ""


def _read_only(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    self.databases[found[1]].read_only = found[2] == "SET"
    return ""


def _marked(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    names = [name for name in self.databases if self.comments.get(f"DATABASE {name}") == found[2]]
    return "\n".join(sorted(name for name in names if name.startswith(found[1])))


def _remove_token(self: Postgresql, call: Call, database: Database | None, found: re.Match[str]) -> str:
    assert database is not None
    database.tokens.discard(found[1])
    return ""


def _revision(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    assert database is not None
    if database.revision is None:
        raise call.failure(3, f'ERROR:  relation "alembic_version" does not exist\nLINE 1: {call.text}\n')
    return database.revision


def _plugin_revisions(self: Postgresql, call: Call, database: Database | None, found: re.Match[str]) -> str:
    assert database is not None
    tables = re.findall(r"'(\w+)_alembic_version'", found[1])
    return "\n".join(f"{it}_alembic_version|{database.plugins[it]}" for it in tables if it in database.plugins)


def _identity(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    assert database is not None
    return f"7712491835325598394-{database.oid}"


def _known_circles(self: Postgresql, call: Call, database: Database | None, found: re.Match[str]) -> int:
    assert database is not None
    return len(database.circles & set(re.findall(r"'([^']+)'", found[1])))


def _datasets(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> int:
    assert database is not None
    if database.revision is None:
        raise call.failure(3, f'ERROR:  relation "package" does not exist\nLINE 1: {call.text}\n')
    return database.datasets


def _ids(self: Postgresql, call: Call, database: Database | None, found: re.Match[str]) -> str:
    assert database is not None
    return "\n".join(f"dataset-{number}" for number in range(_datasets(self, call, database, found)))


def _objects(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    return "\n".join(self.objects)


def _options(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    assert database is not None
    if database.revision is None:
        raise call.failure(3, f'ERROR:  relation "system_info" does not exist\nLINE 1: {call.text}\n')
    return json.dumps(database.options)


def _remove_options(self: Postgresql, call: Call, database: Database | None, found: re.Match[str]) -> str:
    assert database is not None
    for key in re.findall(r"'([^']+)'", found[1]):
        del database.options[key]
    if "ckan.config_update" in database.options:
        database.options["ckan.config_update"] += "1"
    return ""


def _update(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    assert database is not None
    self.updates.append(call.text)
    return ""


def _contents(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    assert database is self.databases["ckan_default"], call.argv
    return "\n".join(f"table {name}|{rows}|{rows * 17}" for name, rows in self.rows.items())


def _write_and_read(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    assert database is not None, call.argv
    if database.read_only:
        raise call.failure(3, "ERROR:  cannot execute CREATE TABLE in a read-only transaction\n")
    return "1"


def _order(self: Postgresql, call: Call, database: Database | None, _: re.Match[str]) -> str:
    return (
        "" if self.order == self.order_of_system else f"{self.order}, and that of the system is {self.order_of_system}"
    )


def _reindex(self: Postgresql, call: Call, database: Database | None, found: re.Match[str]) -> str:
    assert database is self.databases[found[1]], call.argv
    self.updates.append(call.text)
    return ""


def _refresh_order(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    assert self.updates[-1] == f"REINDEX DATABASE {found[1]}", call.text
    self.order = self.order_of_system
    return ""


def _forbid(self: Postgresql, call: Call, _: Database | None, found: re.Match[str]) -> str:
    self.databases[found[1]].connectable = False
    return ""


#: what the superuser asks
SUPERUSER: dict[str, Answer] = {
    "CHECKPOINT": lambda *_: "",
    r"\nSELECT 'CREATE DATABASE (\w+) OWNER (\w+) TEMPLATE (\w+)' \|\| .* STRATEGY .* \\gexec\n": _copy,
    r"\nSELECT format\('ALTER %s SET %I = %s', .*'DATABASE (\w+)'.*WHERE datname = '(\w+)' .*": _copy_settings,
    r"\nSELECT 'REVOKE ALL ON DATABASE \w+ FROM PUBLIC' .*": lambda *_: "",
    r"BEGIN; ALTER DATABASE (\w+) RENAME TO (\w+); ALTER DATABASE (\w+) RENAME TO \1; "
    r"ALTER DATABASE \2 ALLOW_CONNECTIONS false; ALTER DATABASE \1 ALLOW_CONNECTIONS true; "
    r"ALTER DATABASE \1 RESET default_transaction_read_only; COMMIT": _exchange,
    r"DROP DATABASE IF EXISTS (\w+) WITH \(FORCE\)": _drop,
    r"ALTER DATABASE (\w+) (SET|RESET) default_transaction_read_only(?: = on)?": _read_only,
    r"SELECT count\(pg_terminate_backend\(pid\)\) FROM pg_stat_activity WHERE datname IN \([^)]*\) .*": lambda *_: 0,
    r"SELECT count\(\*\) FROM pg_database WHERE datname = '(\w+)'": lambda it, *rest: int(rest[2][1] in it.databases),
    r"\nSELECT datname FROM pg_database WHERE starts_with\(datname, '(\w+)'\) .* = '([^']*)'\nORDER BY datname\n": _marked,
    r"SELECT coalesce\(sum\(pg_database_size\(datname\)\), 0\) FROM pg_database WHERE datname IN \(([^)]*)\)": (
        lambda *rest: 8 * 1024**2 * len(rest[3][1].split(", "))
    ),
    r"\nSET timezone = 'UTC';\nSELECT format\('SELECT %L, count.* \\gexec\n.*": _contents,
    r"SELECT 'database ' \|\| datname, 1, datallowconn FROM pg_database": lambda it, *_: "\n".join(
        f"database {name}|1|{'t' if found.connectable else 'f'}" for name, found in it.databases.items()
    ),
    r"SELECT sum\(pg_database_size\(oid\)\) FROM pg_database": lambda *_: 24 * 1024**2,
    r"SELECT datname FROM pg_database WHERE NOT datistemplate .* ORDER BY datname": lambda it, *_: "\n".join(
        it.databases
    ),
    r"ALTER DATABASE (\w+) ALLOW_CONNECTIONS false": _forbid,
    r"REINDEX DATABASE (\w+)": _reindex,
    r"ALTER DATABASE (\w+) REFRESH COLLATION VERSION": _refresh_order,
    r"SELECT system_identifier FROM pg_control_system\(\)": lambda *_: 7,
    r"SELECT current_setting\('is_superuser'\) .*": lambda it, *_: it.rights,
    r"\nSELECT coalesce\(.*FROM pg_hba_file_rules .*": lambda it, *_: it.rule,
    r"\nSELECT count\(\*\) FROM pg_roles, pg_database .*": lambda it, *_: int(
        "www-data" in set(it.roles) - it.without_login and "ckan_default" in it.databases
    ),
    r"\nSELECT 'database', .* FROM pg_database WHERE datname = '(\w+)'\n.* WHERE rolname = '\1'\n"
    r".* WHERE rolname = '([\w-]+)'\n": _marks,
    r"SELECT count\(\*\) FROM pg_class JOIN pg_namespace .*": _relations,
    r"COMMENT ON (DATABASE|ROLE) ([\w\"-]+) IS '([^']*)'": _comment,
    r"BEGIN; CREATE ROLE \"([\w-]+)\"(?: LOGIN)?; COMMENT ON ROLE \"\1\" IS '([^']*)'; COMMIT": _create_role,
    r'ALTER ROLE "([\w-]+)" LOGIN': _let_log_in,
    r'GRANT (\w+) TO "([\w-]+)"': _grant,
    r'ALTER ROLE "([\w-]+)" IN DATABASE (\w+) SET role = (\w+)': _work_as,
    r"CREATE DATABASE (\w+) OWNER (\w+) TEMPLATE template0 ENCODING '(\w+)' LOCALE 'C.UTF-8'": _create,
    r"SELECT count\(\*\) FROM pg_database WHERE NOT datistemplate AND datname NOT IN \('postgres', '(\w+)'\) "
    r"AND NOT starts_with\(datname, '\1_'\)": (
        lambda it, *rest: len(
            {name for name in it.databases if not name.startswith(f"{rest[2][1]}_")}
            - {rest[2][1]}.union(*it.external.values())
        )
    ),
}
#: what CKAN's role asks
ROLE: dict[str, Answer] = {
    r"SELECT system_identifier FROM pg_control_system\(\)": lambda it, call, *_: (
        "1" if "host=db.example.org" in call.option("--dbname") else "7"
    ),
    "SELECT 1": lambda *_: 1,
    r"BEGIN; CREATE TABLE dcor_server_check .* ROLLBACK;": _write_and_read,
    r"\nSELECT \$\$SELECT datcollversion \|\| .*current_database\(\).*>= 150000 \\gexec\n": _order,
    r"SELECT pg_database_size\(current_database\(\)\)": lambda *_: 8 * 1024**2,
    r"DELETE FROM api_token WHERE name = '([^']+)'": _remove_token,
    r"SELECT current_user \|\| ' ' \|\| current_setting\('server_encoding'\) .* WHERE datname = current_database\(\)": _describe,
    r"SELECT system_identifier \|\| '-' \|\| oid FROM pg_control_system\(\), .* datname = current_database\(\)": _identity,
    r'SELECT count\(\*\) FROM "group" WHERE is_organization AND id IN \(([^)]*)\)': _known_circles,
    "SELECT version_num FROM alembic_version": _revision,
    r"SELECT name FROM package WHERE type = 'dataset' .* LIMIT 1": lambda _, __, it, *___: (
        "beads" if it.datasets else ""
    ),
    r"SELECT format\('SELECT %L, version_num FROM %I', relname, relname\) FROM pg_class\n"
    r"WHERE relname IN \(([^)]*)\) AND pg_table_is_visible\(oid\) \\gexec\n": _plugin_revisions,
    r"SELECT count\(\*\) FROM package WHERE type = 'dataset' AND state = 'active'": _datasets,
    r"SELECT id FROM package WHERE type = 'dataset' AND state = 'active'": _ids,
    r"\(SELECT coalesce\(substring\(r.extras from .*\nORDER BY r.created DESC LIMIT 3\)": _objects,
    r"SELECT coalesce\(json_object_agg\(key, coalesce\(value, ''\)\), '\{\}'\) FROM system_info": _options,
    r"BEGIN; DELETE FROM system_info WHERE key IN \(([^)]*)\); "
    r"UPDATE system_info SET value = extract\(epoch FROM now\(\)\) WHERE key = 'ckan.config_update'; COMMIT;": (
        _remove_options
    ),
    r"BEGIN;\n(UPDATE resource SET \w+ = replace\([^\n]*;\n)+\nCOMMIT;": _update,
}
