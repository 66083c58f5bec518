"""A fake of CKAN: the programs of a release, its web server, and Solr and the object store that it uses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import release, sizes
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.solr import cores
from dcor_pkg.services.solr import local as solr
from tests.unit.fake_programs import faults
from tests.unit.fake_programs.call import Call, Handler
from tests.unit.fake_programs.postgresql import Postgresql
from tests.unit.fake_programs.supervisor import Supervisor
from tests.unit.fake_programs.systemd import Systemd

PUBLIC = Access(0o644)
STORE, SOLR = "dcor-object-store.service", "dcor-solr.service"
#: what is asked of Solr
RELOAD, SELECT, UPDATE = "RELOAD", f"select?q={solr.DATASETS}&rows=0", "update?commit=true"
LOADED_SCHEMA = "schema?wt=schema.xml"
REQUEST = re.compile(r"http://127\.0\.0\.1:8983/solr/(?:admin/cores\?action=(RELOAD)&core=)?(\w+)(?:/(.*))?")
SEARCH = "/api/3/action/package_search?rows=1"
#: the newest revision of CKAN 2.11's tables
REVISION = "4eaa5fcf3092"
#: the same of plugins that have migrations of their own, and are not enabled
PLUGINS = {"activity": "fab3bfdcf830", "tracking": "6313f7679d5f"}
HEADS = "".join(f"{line}\n" for line in (REVISION, *(f"{plugin} {newest}" for plugin, newest in PLUGINS.items())))
#: what dcor_runtime.queues says of a queue
IDLE = {"problem": None, "seconds": 0.2, "busy": False, "waiting": 0, "failed": 0}
#: of a trial
TOKEN = "header.payload.signature"
#: of CPython 3.11
MAGIC = "a70d0d0a\n"


@dataclass
class Ckan:
    """CKAN in whichever release; `fault` is what a command of it ends with, by its first argument."""

    host: Host
    systemd: Systemd
    postgresql: Postgresql
    supervisor: Supervisor
    #: the name of the database that its ckan.ini names
    database: str = "ckan_default"
    #: datasets in each core of Solr, and the schemas that Solr has loaded; None for a core that it could not load
    indexes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(cores.CORES, 0))
    loaded: dict[str, str | None] = field(default_factory=dict)
    #: those in each core that are of no dataset in the database
    strangers: int = 0
    #: the commands that were run in a release, without its path
    commands: list[tuple[str, ...]] = field(default_factory=list)
    fault: dict[str, str] = field(default_factory=dict)
    #: what modules of dcor-server that run inside CKAN's Python print as JSON, by name, or what makes it of arguments
    results: dict[str, Any] = field(
        default_factory=lambda: {
            "reconcile": {"unknown": 0, "suspicious": False},
            "index": [],
            "catch_up": {"failed": [], "lost": []},
            "jobs": {"jobs": [], "done": []},
            "deep_health": {"problems": [], "token": TOKEN},
            "queues": {name: {**IDLE} for name in sizes.QUEUES},
        }
    )
    #: the databases that were migrated
    migrated: list[str] = field(default_factory=list)
    #: what was written by the API: each action with its values
    writes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: the names of vocabularies
    vocabularies: set[str] = field(default_factory=set)
    #: what the web server answers instead of 200, by path
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def documents(self) -> int:
        """Datasets in the core that is in use."""
        return self.indexes[cores.named(self.host)]

    @documents.setter
    def documents(self, number: int) -> None:
        self.indexes[cores.named(self.host)] = number

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs; RELEASE stands for the directory of a release."""
        return {
            "RELEASE/bin/python": self.python,
            "RELEASE/bin/ckan": self.command,
            "tar": self.tar,
            "redis-cli": self.redis,
        }

    def python(self, call: Call) -> str:
        """Run a module of a release, or tell the number of its bytecode."""
        if call.argv[1:] == ("-c", "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"):
            return MAGIC
        module = {
            ("-m", "pip", "install"): self._install,
            ("-m", "compileall", "-q"): lambda _: "",
            ("-m", "dcor_runtime.theme"): lambda _: "",
            ("-m", "dcor_runtime.pth_files"): self._pth_files,
            ("-m", "dcor_runtime.database", "head"): lambda _: HEADS,
            ("-m", "dcor_runtime.database", "upgrade"): self._upgrade,
            ("-m", "dcor_runtime.database", "trial"): self._trial,
        }.get(call.argv[1:4], self._own_module(call))
        if module is None:
            raise call.unknown()
        self._fail(call, call.argv[-1])
        return module(call)

    def _pth_files(self, call: Call) -> str:
        """Print which .pth files have a line that fails: those that say so, and all with a closed directory."""
        assert call.user == "www-data", call.argv
        site = release.site_packages(self.host, str(Path(call.argv[0]).parent.parent))
        names = [name for name in self.host.names(site) if name.endswith(".pth")]
        failing = [name for name in names if "import gone" in (self.host.read(f"{site}/{name}") or "")]
        faults = [{"file": name, "line": 1, "kind": "left over", "about": "gone"} for name in failing]
        closed = self.host.access(f"{site}/dcor_runtime")
        if closed is not None and closed.mode & 0o005 != 0o005:
            faults.append({"file": "closed.pth", "line": 1, "kind": "unreadable", "about": f"{site}/dcor_runtime"})
        return f"{json.dumps(faults)}\n"

    def _own_module(self, call: Call) -> Handler | None:
        """Return what runs a module that prints JSON, after lines of libraries."""
        name = call.argv[2].removeprefix("dcor_runtime.")
        if name not in self.results:
            return None

        def handler(call: Call) -> str:
            assert call.user == "www-data", call.argv
            self.commands.append((name, *call.argv[3:]))
            self._fail(call, name)
            if name == "index":
                self.strangers = 0
                self._fill(call, -len(self.results[name]))
            if name == "catch_up":
                assert call.argv[3].rpartition("/")[2] == cores.other(self._core(call)), call.argv
                self._fill(call, -len(self.results[name]["failed"]))
            found = self.results[name]
            return f"a warning of a library\n{json.dumps(found(*call.argv[3:]) if callable(found) else found)}\n"

        return handler

    def command(self, call: Call) -> str:
        """Run a command of CKAN as its user."""
        assert call.user == "www-data", call.argv
        self.commands.append(call.argv[1:])
        self._fail(call, call.argv[1])
        if call.argv[1:3] == ("search-index", "rebuild"):
            self._fill(call)
        elif not call.argv[1].startswith(("run-jobs-", "dcor-prune-")):
            raise call.unknown()
        return ""

    def _core(self, call: Call) -> str:
        """Return the core that the configuration of a command names."""
        return cores.in_text(self.host.read(call.environment["CKAN_INI"])) or cores.CORES[0]

    def _fill(self, call: Call, more: int = 0) -> None:
        core = self._core(call)
        self.indexes[core] = self.postgresql.databases[self.database].datasets + more
        if call.environment["CKAN_INI"] != CKAN_INI:
            assert self.loaded[core] is not None, "Solr has not loaded the core."

    def load_cores(self) -> None:
        """Let Solr read the schemas, as it does when it starts, and make indexes that are missing."""
        self.loaded = {core: self._load(core) for core in cores.CORES}
        for core in cores.CORES:
            self.host.path(cores.index(core)).mkdir(parents=True, exist_ok=True)

    def _load(self, core: str) -> str | None:
        text = self.host.read(cores.schema(core)) or ""
        return None if "unloadable" in text else text

    def tar(self, call: Call) -> str:
        """Unpack the bytecode of the wheels."""
        assert call.option("--file") == "/usr/share/dcor-wheels/bytecode.tar", call.argv
        self.host.write(f"{call.option('--directory')}/dcor_shared/__pycache__/s3.pyc", "bytecode", PUBLIC)
        return ""

    def redis(self, call: Call) -> str:
        """Answer to PING and SET on the socket of CKAN's own Redis."""
        answers = {("PING",): "PONG\n", ("SET", "dcor-server-check", "1", "EX", "10"): "OK\n"}
        if call.argv[1:3] != ("-s", "/run/redis-dcor/redis.sock") or call.argv[3:] not in answers:
            raise call.unknown()
        if not self.systemd.answers("redis-server@dcor.service"):
            raise call.failure(1, f"Could not connect to Redis at {call.argv[2]}: No such file or directory\n")
        return answers[call.argv[3:]]

    def get(self, path: str, target: str, host: str, timeout: float = 60, *, user: str | None = None) -> Answer:
        """Stand for unix_http.get: the web server of a release on its socket, or S3."""
        for socket, status in object_store.REFUSALS.items():
            if path == str(self.host.path(socket)):
                return Answer(status, "denied") if self.systemd.answers(STORE) else NOBODY
        program = f"dcor-web-{Path(path).name.removesuffix('.probe.sock')}"
        states = {name: found.state for name, found in self.supervisor.loaded.items()}
        assert (path.endswith(".probe.sock"), user) == (True, "www-data"), f"The fake machine has no socket {path}."
        if states.get(program) != "RUNNING":
            return NOBODY
        return self.answers.get(target, Answer(200, json.dumps({"success": True}) if target == SEARCH else ""))

    def post(self, path: str, target: str, host: str, token: str, body: str, *, user: str) -> Answer:
        """Stand for unix_http.post: a write by the API, with the token of a trial."""
        assert token == TOKEN
        action, values = target.rpartition("/")[2], json.loads(body)
        self.writes.append((action, values))
        answer = self.get(path, target, host, user=user)
        return answer if answer.body else self._vocabulary(action, values.get("name") or values["id"])

    def _vocabulary(self, action: str, name: str) -> Answer:
        """Create or delete one; its id is its name."""
        is_there = name in self.vocabularies
        if is_there != (action == "vocabulary_delete"):
            return Answer(404 if not is_there else 409, json.dumps({"success": False}))
        self.vocabularies ^= {name}
        return Answer(200, json.dumps({"success": True, "result": {"id": name}}))

    def ask(self, address: str, login: tuple[str, Secret], data: str | None = None) -> Answer:
        """Stand for http_request.ask: Solr on its port of loopback."""
        found = REQUEST.fullmatch(address.removesuffix("&wt=json"))
        assert found is not None, address
        reload, core, rest = found.groups()
        asked = re.sub(r"&rows=\d+", "&rows=0", (reload or rest).replace("&fl=id", ""))
        assert asked in (RELOAD, SELECT, UPDATE, LOADED_SCHEMA), address
        if not self.systemd.answers(SOLR):
            return Answer(0, "[Errno 111] Connection refused")
        password, admin = (secrets.read(self.host, name) for name in (solr.PASSWORD, solr.ADMIN_PASSWORD))
        user = solr.ADMIN if reload else solr.USER
        if login != (user, admin if reload else password):
            return Answer(401, "Bad credentials")
        if self.host.read(f"{cores.HOME}/security.json") != solr.security(password, admin):
            return Answer(401, "Bad credentials")
        return self._reload(core) if reload else self._select(core, rest, data)

    def _reload(self, core: str) -> Answer:
        text = self._load(core)
        if text is None:
            trace = "SolrException: Unable to reload\nCaused by: SAXParseException: unloadable\n\tat of Java"
            return Answer(500, json.dumps({"error": {"msg": f"Unable to reload core [{core}]", "trace": trace}}))
        self.loaded[core] = text
        return Answer(200, "{}")

    def _select(self, core: str, rest: str, data: str | None) -> Answer:
        if self.loaded.get(core) is None:
            return Answer(500, f"SolrCore '{core}' is not available due to init failure")
        if rest == LOADED_SCHEMA:
            return Answer(200, self.loaded[core] or "")
        if data is not None:
            assert json.loads(data) == {"delete": {"query": "*:*"}}
            self.indexes[core] = 0
        docs = [] if rest == SELECT else [{"id": it} for it in self._indexed(core)]
        return Answer(200, json.dumps({"response": {"numFound": self.indexes[core], "docs": docs}}))

    def _ids(self) -> list[str]:
        return [f"dataset-{number}" for number in range(self.postgresql.databases[self.database].datasets)]

    def _indexed(self, core: str) -> list[str]:
        """Return the ids in a core: those of the database, as many as there are, and those of strangers."""
        known = [it for it in self._ids() if it not in self.results["index"]]
        known = known[: self.indexes[core] - self.strangers]
        return [*known, *(f"stranger-{number}" for number in range(self.indexes[core] - len(known)))]

    def _fail(self, call: Call, name: str) -> None:
        if name in self.fault:
            raise call.failure(1, self.fault[name])

    def _install(self, call: Call) -> str:
        """Write what pip does, as far as it is looked at."""
        home = str(Path(call.argv[0]).parent.parent)
        site = release.site_packages(self.host, home)
        for file, text in faults.OF_WHEELS.items():
            self.host.write(f"{site}/{file}", text, PUBLIC)
        self.host.write(f"{site}/certifi/cacert.pem", "authorities\n", PUBLIC)
        self.host.write(f"{home}/bin/dcor", f"#!{home}/bin/python\n", Access(0o755))
        return ""

    def _trial(self, call: Call) -> str:
        """Migrate the database that a copy of the configuration names, and print a token."""
        found = re.search(r"^sqlalchemy\.url = .*/(\w+)\?", self.host.read(call.environment["CKAN_INI"]) or "", re.M)
        assert found is not None, call.environment
        self._migrate(call, found[1])
        self.postgresql.databases[found[1]].tokens.add("dcor-server-trial")
        return f"a line of a library\n{TOKEN}\n"

    def _upgrade(self, call: Call) -> str:
        return self._migrate(call, self.database)

    def _migrate(self, call: Call, name: str) -> str:
        """Bring the tables to the newest revision, which takes the database."""
        assert call.user == "www-data", call.argv
        if name not in self.postgresql.databases:
            raise call.failure(1, "sqlalchemy.exc.OperationalError: the database does not exist\n")
        database = self.postgresql.databases[name]
        assert not database.read_only, "A migration cannot write here."
        self.migrated.append(name)
        database.revision = REVISION
        enabled = re.findall(r"^ckan\.plugins = (.*)", self.host.read(CKAN_INI) or "", re.MULTILINE)[-1].split()
        database.plugins.update({plugin: newest for plugin, newest in PLUGINS.items() if plugin in enabled})
        return ""


#: what unix_http answers where nobody listens on a socket
NOBODY = Answer(0, "[Errno 2] No such file or directory")
