"""Whether the PostgreSQL of this machine lets us in by its socket, as Debian's does: its superuser, and CKAN's user.

Who may connect is tried, and read from its files only as long as there is no role or database to try it with. Other
set-ups are refused with their file and line; nothing is changed for the cluster's other databases.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.answers.validators import LOCAL
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.postgresql.cluster import OWNER, TIMEOUT_SECONDS, Cluster

#: as the superuser; a cluster that follows another one is read-only, too
RIGHTS = "SELECT current_setting('is_superuser') || ' ' || current_setting('transaction_read_only')"
#: 1 where CKAN's user and database exist, and the one may log in to the other, so that a login has to succeed
MADE = """
SELECT count(*) FROM pg_roles, pg_database WHERE rolname = '{user}' AND rolcanlogin AND datname = '{name}' AND datallowconn
AND has_database_privilege(rolname, datname, 'CONNECT')
"""
#: the methods by which the system itself says who connects, or everybody may; what ends the result of RULE
ALLOWING = (", peer", ", trust")
#: the first line of pg_hba.conf for a role and a database, except groups and patterns; since version 16 it has a file
RULE = """
SELECT coalesce(to_jsonb(rule)->>'file_name', current_setting('hba_file')) || ', line ' || line_number || ', ' || auth_method
|| coalesce(' ' || array_to_string(options, ' '), '')
FROM pg_hba_file_rules AS rule
WHERE type = 'local' AND database && ARRAY['all', '{name}'] AND user_name && ARRAY['all', '{user}']
ORDER BY coalesce((to_jsonb(rule)->>'rule_number')::int, line_number) LIMIT 1
"""
EXTERNAL = (
    "Or use a database with a password, on this machine too (README, External services): "
    "dcor-server/database = postgresql://USER@localhost:{port}/NAME"
)


def require(host: Host, database: Endpoint, ours: Cluster) -> None:
    """Raise InvalidAnswer where superuser or CKAN's user cannot connect, or the former cannot make a database."""
    try:
        rights = psql.as_superuser(host, RIGHTS)
    except DcorError as error:
        line = f"local all {OWNER} peer"
        raise _refused(ours, error.reason.rstrip("."), _allow(ours, f"before all others of {ours.hba}", line)) from None
    if rights != "on off":
        problem = f"in {ours.label} the role {OWNER} cannot create a database: it is no superuser, or all is read-only"
        raise _refused(ours, problem, "A cluster that follows another one cannot be used.")
    message = psql.problem(host, database)
    if message is None:
        return
    names = {"name": database.name, "user": database.user}
    rule = psql.as_superuser(host, RULE.format(**names))
    # The message is in the language of the machine; before the first installation it only says that nothing exists yet.
    if psql.as_superuser(host, MADE.format(**names)) == "1" or not rule.endswith(ALLOWING):
        rule = rule or ours.hba
        problem = f"{ours.label} does not let {database.user} in by its socket: {message} ({rule})"
        raise _refused(ours, problem, _allow(ours, "before it", f"local {database.name} {database.user} peer"))


def require_socket(host: Host, ours: Cluster) -> None:
    """Raise InvalidAnswer where a cluster that runs has no socket in the directory where we look for it."""
    try:
        # its fifth line (PostgreSQL, src/include/utils/pidfile.h)
        found = host.run("sed", "-n", "5p", f"{ours.data}/postmaster.pid", user=OWNER, timeout=TIMEOUT_SECONDS).strip()
    except CommandFailed:
        return  # it has ended in the meantime
    if found.replace("/var/run/", "/run/") != psql.SOCKETS.replace("/var/run/", "/run/"):
        problem = f"{ours.label} has its socket in {found or 'no directory'}, not in {psql.SOCKETS}"
        setting = f"unix_socket_directories ({ours.place(host, 'unix_socket_directories')})"
        raise _refused(ours, problem, f"Add that to {setting}, then: systemctl restart {ours.unit}.")


def _allow(ours: Cluster, where: str, line: str) -> str:
    return f"Allow it by a line {where}: {line}; then: systemctl reload {ours.unit}."


def _refused(ours: Cluster, problem: str, hint: str) -> InvalidAnswer:
    return InvalidAnswer("dcor-server/database", LOCAL, problem, f"{hint} {EXTERNAL.format(port=ours.port)}")
