"""Next releases whose CKAN has migrations of its own, made in a machine from what is installed there."""

from __future__ import annotations

from dcor_dev.machine import Machine
from power_cut import Moment

UPGRADES = "/var/backups/dcor-server/upgrades"
STATE = "/var/lib/dcor-server"
PACKAGE = "/usr/share/dcor-server/dcor_pkg"
VERSIONS = "/usr/lib/ckan/default/lib/python3*/site-packages/ckan/migration/versions"
#: a migration of CKAN's own tables, after the newest one
MIGRATION = '''"""Of a test."""
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{former}", None, None


def upgrade():
    {upgrade}


def downgrade():
    raise NotImplementedError
'''
#: the web server asks the database in each request, and answers 500 where that fails
READS = """

def _reading(inner):
    import sqlalchemy
    from ckan import model

    def answer(environ, start_response):
        with model.meta.engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT kept FROM dcor_trial"))
        return inner(environ, start_response)
    return answer


application = _reading(application)
"""
#: the web server answers 500 from so many seconds on after its start
FAILS = """

def _failing(inner, start=__import__("time").monotonic()):
    def answer(environ, start_response):
        if __import__("time").monotonic() - start > {seconds}:
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b"lost"]
        return inner(environ, start_response)
    return answer


application = _failing(application)
"""
MAKE_TABLE = """op.execute("CREATE TABLE dcor_trial (kept text); INSERT INTO dcor_trial VALUES ('precious')")"""
DROP_COLUMN = 'op.execute("ALTER TABLE dcor_trial DROP COLUMN kept")'
#: commits half of itself
HALF = """op.execute("COMMIT; ALTER TABLE dcor_trial DROP COLUMN kept"); op.execute("SELECT nothing")"""

#: commands to see how far a migration is, and the step of it that is then under way; in its order
MOMENTS = {
    "backup": f"ls -d {UPGRADES}/.[0-9]*",
    "loading": f"grep -l ckan_default_copy {STATE}/configurations/*/ckan.ini",
    "jobs end": f"test -e {STATE}/migration.json",
    "requests end": f"test -e {STATE}/nginx/maintenance",
    "copy": "psql -Atc \"SELECT 'found' FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE ckan_default_copy%'\" | grep found",
    "migration": "psql -Atc \"SELECT 'found' FROM pg_stat_activity WHERE datname = 'ckan_default_copy'\" | grep found",
    "proof of the copy": f"for it in $(grep -l ckan_default_copy {STATE}/configurations/*/ckan.ini); do "
    f"test -e {STATE}/nginx/maintenance -a ! -e $(dirname $it)/hold && echo found; done | grep found",
    "exchange": "psql -Atc \"SELECT 'found' FROM pg_database WHERE datname LIKE 'ckan_default_before_%'\" | grep found",
    "turn": f"! grep -q @BEFORE@ {STATE}/nginx/upstream.conf",
    "end": f"grep -q '\"turned\": true' {STATE}/migration.json",
}
OF_POSTGRES = ("copy", "migration", "exchange")


def next_release(
    machine: Machine, revision: str, former: str, upgrade: str, web: str = "", *, at_start: str = ""
) -> None:
    """Have the next release migrate the tables.

    `at_start` and `web` are put before and behind the module that loads CKAN's web server.
    """
    text = MIGRATION.format(revision=revision, former=former, upgrade=upgrade)
    machine.write("/root/migration.py", text)
    # Two that follow the same one would be two newest ones.
    machine.shell(f"find {VERSIONS} -name '9*_of_a_test.py' ! -name '9{former}_*' -delete")
    machine.shell(f"cp /root/migration.py $(echo {VERSIONS})/9{revision}_of_a_test.py")
    module = f"{PACKAGE}/runtime/wsgi.py"
    machine.shell(f"test -e /root/wsgi.py || cp {module} /root/wsgi.py")
    machine.write("/root/start.py", f"{at_start}\n")
    machine.write("/root/web.py", f"{web}\nOF_REVISION = {revision!r}\n")
    machine.shell(f"cat /root/start.py /root/wsgi.py /root/web.py >{module}")


def head(machine: Machine) -> str:
    """Return the newest revision of the release that serves."""
    return machine.shell("head -n 1 /var/lib/dcor-server/current/schema-revision").strip()


def sql(machine: Machine, text: str, database: str = "ckan_default") -> str:
    """Return what PostgreSQL's superuser gets as the result of SQL."""
    asked = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", f"--dbname={database}")
    return machine.run(*asked, user="postgres", text=text).stdout.strip()


def active(machine: Machine) -> str:
    """Return the id of the release that serves."""
    return machine.shell(f"basename $(readlink {STATE}/current)").strip()


def has_come(machine: Machine, moment: str) -> Moment:
    """Return how to see that a migration from the release that serves now has reached one of MOMENTS."""
    command = MOMENTS[moment].replace("@BEFORE@", active(machine))
    user = "postgres" if moment in OF_POSTGRES else "root"
    return lambda machine: machine.run("sh", "-c", command, user=user, check=False).returncode == 0
