"""A fake of what a test instance adds to a machine: its units, database, store, environment and suites."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
from typing import Any

import pytest

from dcor_pkg.ckan import release
from dcor_pkg.machine import http_request
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import PACKAGED_CKAN
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.test_instance import database, environment, places, services, suites
from tests.unit.command_line import CommandLine, Ended
from tests.unit.fake_programs.call import Call

TEST = "ckanext-dcor_theme-tests/test_theme.py::test_good"
PYTHON = "/usr/bin/python3.11"
PUBLIC = Access(0o644)
REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="3" time="2.5">
<testcase classname="dcor_theme-tests.test_theme" name="test_good"/>
<testcase classname="dcor_theme-tests.test_theme" name="test_bad"><failure message="assert 1 == 2">trace</failure></testcase>
<testcase classname="dcor_theme-tests.test_theme" name="test_off"><skipped message="not here"/></testcase>
</testsuite></testsuites>
"""


class Second:
    """The server, and the state of the second CKAN on it."""

    def __init__(self, server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.machine, self.host = server, server.machine, server.machine.host
        #: the marks of role and database; none where there is none
        self.marks: dict[str, str] = {}
        self.buckets: set[str] = set()
        self.report, self.code = REPORT, 1
        #: what pytest prints
        self.printed = f"{TEST} PASSED [1/3]\n"
        self.production = {
            name: self.machine.programs.get(name)
            for name in ("psql", "systemctl", "curl", "RELEASE/bin/python", PYTHON)
        }
        self.machine.programs |= {
            "psql": self.psql,
            "systemctl": self.systemctl,
            "curl": self.curl,
            PYTHON: self.venv,
            f"{PACKAGED_CKAN}/bin/python": self.pip,
            "RELEASE/bin/python": self.python,
            "rm": self.remove,
            "cp": self.copy,
            "systemd-run": self.suite,
        }
        of_production = http_request.ask

        def ask(address: str, *rest: Any) -> Answer:
            is_own = address.startswith(services.SOLR_ADDRESS)
            return Answer(200, "{}") if is_own else of_production(address, *rest)

        monkeypatch.setattr(http_request, "ask", ask)
        for name in ("ckanext-dcor_theme", "dcor_shared"):
            self.host.write(f"{suites.SHIPPED_SUITES}/{name}/tests/test_theme.py", "def test_good(): pass\n", PUBLIC)
        self.host.write(f"{environment.WHEELS}/requirements.txt", "", PUBLIC)

    def __call__(self, *arguments: str) -> Ended:
        return self.server("test-instance", *arguments)

    def _production(self, call: Call) -> str:
        handler = self.production[call.argv[0] if call.argv[0] in self.production else "RELEASE/bin/python"]
        assert handler is not None
        return handler(call)

    def psql(self, call: Call) -> str:
        found = re.fullmatch(
            r"BEGIN; CREATE ROLE ckan_test LOGIN PASSWORD '\w{40}'; COMMENT ON ROLE ckan_test IS '(.*)'; COMMIT",
            call.text,
        )
        if found:
            if "role" in self.marks:
                raise call.failure(1, 'ERROR:  role "ckan_test" already exists\n')
            self.marks["role"] = found[1]
            return ""
        if call.text == database.FOUND:
            return "".join(f"{kind}|{mark}\n" for kind, mark in self.marks.items())
        if call.text == database.CREATE:
            self.marks["database"] = self.marks["role"]
            return ""
        if call.text.startswith("DROP"):
            assert "database" not in self.marks or "DATABASE" in call.text
            del self.marks[call.text.split()[1].lower()]
            return ""
        if "dbname=ckan_test" in call.option("--dbname"):
            return "7-16999\n"
        return self._production(call)

    def systemctl(self, call: Call) -> str:
        """Take patterns, of which no unit is no error."""
        verb, *units = call.words
        units_of = self.machine.systemd.units
        if verb in ("stop", "reset-failed") and "*" in units[0]:
            for unit in fnmatch.filter(units_of, units[0]):
                units_of[unit].active = "inactive"
            return ""
        return self._production(call)

    def curl(self, call: Call) -> str:
        options = dict(line.split(" = ", 1) for line in call.text.splitlines())
        url = json.loads(options["url"])
        if not url.startswith(services.STORE_ORIGIN):
            return self._production(call)
        if json.loads(options["request"]) == "PUT" and url.count("/") == 3:
            self.buckets.add(url.rpartition("/")[2])
        return "\n200"

    def venv(self, call: Call, version: str = "3.11.2") -> str:
        if call.argv[1:] != ("-I", "-m", "venv", "--without-pip", places.ENVIRONMENT):
            return self._production(call)
        self.host.write(f"{places.ENVIRONMENT}/pyvenv.cfg", f"version = {version}\n", PUBLIC)
        return ""

    def pip(self, call: Call) -> str:
        assert call.argv[1:3] == ("-m", "pip"), call.argv
        assert call.option("--python") == f"{places.ENVIRONMENT}/bin/python"
        assert {"--no-index", "--require-hashes", "--no-deps"} <= set(call.options)
        self.host.write(f"{places.ENVIRONMENT}/bin/pytest", "", Access(0o755))
        return ""

    def python(self, call: Call) -> str:
        if call.environment.get("CKAN_INI") == places.INI:
            assert call.argv[1:] == ("-m", "dcor_runtime.database", "upgrade"), call.argv
            assert (call.user, self.host.exists(places.INI)) == ("www-data", True)
            return ""
        return self._production(call)

    def remove(self, call: Call) -> str:
        assert call.user == "www-data", call.argv
        path = self.host.path(call.words[0])
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        return ""

    def copy(self, call: Call) -> str:
        if call.argv[1] != "--recursive":
            return self.machine.files.cp(call)
        assert call.user == "www-data", call.argv
        source, target = call.words
        shutil.copytree(self.host.path(source), self.host.path(target))
        return ""

    def suite(self, call: Call) -> str:
        """Run pytest in a unit of its own."""
        if "--pipe" not in call.options:
            return self.machine.systemd.run(call)
        assert call.option("--uid") == "www-data"
        if self.report:
            self.host.write(call.option("--junitxml"), self.report, Access(0o644, "www-data", "www-data"))
        if self.code:
            raise call.failure(self.code, "")
        return self.printed

    @property
    def units(self) -> dict[str, str]:
        """The state of each of its units."""
        found = self.machine.systemd.units
        return {unit: found[unit].active for unit in found if unit.startswith("test-dcor-")}

    @property
    def active(self) -> str:
        """The release that serves."""
        return release.active(self.host) or ""
