"""A purge on a machine in a directory: the postrm, with its paths below that directory, and programs that record calls.

Nothing outside of the directory is ever named. PostgreSQL is a directory with a file for each database and role, whose
content is the mark.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dcor_pkg.answers import settings
from dcor_pkg.kernel import data_directory, instance
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.plan import removal_plan
from dcor_pkg.services.removal_plan import PLAN

POSTRM = Path(__file__).resolve().parents[2] / "debian/dcor-server.postrm"
#: the directories of a machine, as the script names them
ROOTS = "etc|var|run|tmp|proc|usr/share"
ID = "0b6ff6e0-6a6b-4b5a-9f8e-000000000001"
MARK = f"dcor-server instance {ID}"
#: what a server has, with its content
FILES = {
    "/data/.dcor-server": f"{ID}\n",
    "/data/object-store/1.dat": "volume",
    "/data/ckan/resources/1": "resource",
    "/etc/dcor-server/dcor-server.conf": "[dcor-server]\n",
    "/etc/dcor-server/secrets/key": "secret\n",
    "/etc/ckan/default/ckan.ini": "# Managed by dcor-server. If you change this file\n[app:main]\n",
    "/etc/nginx/sites-available/dcor": "# Managed by dcor-server.\n",
    "/etc/apt/apt.conf.d/01dcor-server": "NeverAutoRemove\n",
    "/etc/postgresql/15/main/postgresql.conf": "port = 5432\n",
    "/etc/postgresql/15/main/start.conf": "auto\n",
    instance.INSTANCE: f"{ID}\n",
    "/var/lib/dcor-server/managed.json": "{}\n",
    "/var/lib/dcor-object-store/x": "",
    "/var/lib/redis/dcor.rdb": "",
    "/var/lib/redis/dcor-appendonly/1.aof": "",
    "/var/lib/redis/dump.rdb": "of another instance",
    "/var/cache/dcor-server/ckanext-dc_serve/x": "",
    "/var/lib/ckan/webassets/x": "",
    "/var/log/ckan/web.log.1": "",
    "/var/log/dcor-server/converge.log": "",
    "/proc/self/mountinfo": "",
}
#: of each program: it records its call, then acts
PROGRAMS = {
    "setsid": 'shift; exec "$@"',
    "runuser": 'shift 3; exec "$@"',
    "sync": "",
    "systemd-escape": 'echo "$3"',
    "systemctl": '[ "$1" != show ] || cat "$root/load-state" 2>/dev/null || echo not-found',
    "findmnt": 'cat "$root/etc/fstab" 2>/dev/null',
    "mountpoint": """while read -r _ _ _ _ point _; do [ "$point" != "$2" ] || exit 0; done <"$root/proc/self/mountinfo"
exit 1""",
    "pg_lsclusters": 'echo "15 main 5432 online postgres /x /y"; echo "15 other 5433 online postgres /x /y"',
    "pg_dropcluster": '[ ! -e "$root/pg_dropcluster-fails" ] && rm -r "$root/etc/postgresql/$1/$2"',
    "dropdb": 'for name; do :; done; [ ! -e "$root/dropdb-fails" ] && rm -f "$root/databases/$name"',
    "psql": r"""
[ ! -e "$root/postgresql-is-down" ] || exit 2
for sql; do :; done
name=$(echo "$sql" | sed -n "s/.*\(datname\|rolname\) = '\([^']*\)'.*/\2/p")
case $sql in
*starts_with*)
    name=$(echo "$sql" | sed -n "s/.*starts_with(datname, '\([^']*\)').*/\1/p")
    for file in "$root/databases/$name"*; do
        [ ! -e "$file" ] || [ "$(cat "$file")" != "MARK" ] || echo "${file##*/}"
    done ;;
*"FROM pg_database"*) [ ! -e "$root/databases/$name" ] || echo "$(cat "$root/databases/$name")." ;;
*"DROP ROLE"*) [ ! -e "$root/roles/$name" ] || [ "$(cat "$root/roles/$name")" != "MARK" ] || rm "$root/roles/$name" ;;
esac
""".replace("MARK", MARK),
}
DEBCONF = """
db_subst() { :; }
db_fset() { :; }
db_input() { :; }
db_go() { :; }
db_get() { RET=$(cat "ROOT/answer"); }
db_reset() { echo false >"ROOT/answer"; }
"""
#: kills the script before the n-th of the commands that may change something
CUT = """
trap 'case ${BASH_COMMAND%%%% *} in rm|mv|cp|find|mkdir|rmdir|sync|as_postgres|clean|:|echo) n=$((n + 1));; esac
    if [ "$n" = %d ]; then kill -KILL $$; fi' DEBUG
n=0
set -T
"""


@dataclass(frozen=True)
class Purge:
    """A machine in the directory `root` with a server, on which the package is about to be purged."""

    root: Path

    def __post_init__(self) -> None:
        for path, text in FILES.items():
            self.write(path, text)
        for name in ("ckan_default", "other"):
            self.write(f"/databases/{name}", MARK if name == "ckan_default" else "")
        for name in ("ckan_default", "www-data", "postgres"):
            self.write(f"/roles/{name}", "" if name == "postgres" else MARK)
        self.write("/usr/share/debconf/confmodule", DEBCONF.replace("ROOT", str(self.root)))
        self.path("/etc/nginx/sites-enabled").mkdir()
        self.path("/etc/nginx/sites-enabled/dcor").symlink_to("../sites-available/dcor")
        for name, text in PROGRAMS.items():
            record = f'root={self.root}\necho "{name} $*" >>"$root/calls"\nenv >"$root/environment-{name}"\n'
            self.write(f"/bin/{name}", f"#!/bin/sh\n{record}{text}\n")
            self.path(f"/bin/{name}").chmod(0o755)
        self.answer(yes=False)
        self.plan()

    def path(self, path: str) -> Path:
        """Return the real path of a path of this machine."""
        return self.root / path.lstrip("/")

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(text)

    def exists(self, *paths: str) -> list[bool]:
        """Tell which of these exist."""
        return [self.path(path).is_symlink() or self.path(path).exists() for path in paths]

    def plan(self, answers: Mapping[str, str] | None = None, *, made: bool = True) -> None:
        """Write the removal plan of a server with these settings, as dcor-server does."""
        self.path(PLAN).unlink(missing_ok=True)
        host, step = Host(root=self.root), removal_plan(settings.parse(answers or {}))
        if made:
            state_file.write(host, data_directory.STATE_FILE, ["/data"])
        step.apply(host)
        self.write(PLAN, self.path(PLAN).read_text().replace(" /", f" {self.root}/"))

    def answer(self, *, yes: bool) -> None:
        """Let debconf have this answer."""
        self.write("/answer", "true\n" if yes else "false\n")

    def mount(self, *paths: str) -> None:
        """Have disks mounted there."""
        lines = (f"30 1 8:{n} / {self.path(path)} rw - ext4 /dev/sd rw\n" for n, path in enumerate(paths))
        self.write("/proc/self/mountinfo", "".join(lines))

    def environment(self, program: str) -> set[str]:
        """Return the variables of a program that was run, without those that a shell makes itself."""
        lines = self.path(f"/environment-{program}").read_text().splitlines()
        return {line.partition("=")[0] for line in lines} - {"PWD", "OLDPWD", "SHLVL", "_"}

    def run(
        self, environment: Mapping[str, str] | None = None, *, action: str = "purge", cut: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Purge, perhaps with a power cut before the `cut`-th command; in what is said, paths are as on the machine."""
        environment = {"PATH": f"{self.root}/bin:/usr/bin:/bin", **(environment or {})}
        shell = ("bash", "-c", f"{CUT % cut}\n. {self._script()}", "postrm") if cut else ("sh", str(self._script()))
        done = subprocess.run([*shell, action], env=environment, capture_output=True, text=True, check=False, cwd="/")
        done.stdout = (done.stdout + done.stderr).replace(str(self.root), "")
        return done

    def state(self) -> dict[str, str]:
        """Return all files of the machine, without those of the test itself."""
        own = ("bin", "calls", "environment-", "answer", "postrm")
        found = (path for path in self.root.rglob("*") if not path.relative_to(self.root).parts[0].startswith(own))
        return {str(path.relative_to(self.root)): self._content(path) for path in found}

    def _content(self, path: Path) -> str:
        return path.read_text().replace(str(self.root), "") if path.is_file() else ""

    def _script(self) -> Path:
        """Write the script with its paths below the directory. Raises AssertionError where one is left."""
        text = re.sub(rf"(?<=[ =<])/(?=(?:{ROOTS})/)", f"{self.root}/", POSTRM.read_text())
        text = text.replace("PATH=/usr/sbin", f"PATH={self.root}/bin:/usr/sbin")
        left = re.findall(rf"(?<!ROOT)/(?:{ROOTS}|data|home|srv|root)/.*", text.replace(str(self.root), "ROOT"))
        assert left == []
        script = self.path("/postrm")
        script.write_text(text.replace("#DEBHELPER#", ""))
        return script
