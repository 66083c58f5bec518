"""The table of upstream's suites in README.md is of the pinned versions, and explains each failure."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import suite_table
from dcor_dev.errors import DevError

from dcor_pkg.test_instance.known_failures import CAUSES

TREE = Path(__file__).resolve().parents[3]
AGAIN = "run: scripts/suite-table, with the results of a server that has the pinned versions"


def printed(**changes: Any) -> str:
    """Return what a server prints: all suites of the pinned versions pass, but for changes of dcor_shared."""
    kept = json.loads((TREE / suite_table.RESULTS).read_text())["suites"]
    suites = [{**suite, "passed": 1, "failed": 0, "skipped": 0, "seconds": 2.6, "tests": []} for suite in kept]
    suites[-1].update(changes)
    return json.dumps({"suites": suites}, indent=1)


def failed(*names: str) -> dict[str, Any]:
    return {"failed": len(names), "tests": [{"name": name, "result": "failed", "reason": "x"} for name in names]}


def test_the_table_is_of_the_pinned_versions_and_made_by_the_script() -> None:
    results = suite_table.read(TREE, (TREE / suite_table.RESULTS).read_text())
    assert (TREE / suite_table.README).read_text() == suite_table.readme(TREE, results), AGAIN


def test_each_failure_that_is_known_is_in_it() -> None:
    text = (TREE / suite_table.README).read_text()
    assert [test for _, test in CAUSES if f"`{test}`" not in text] == [], AGAIN


@pytest.mark.parametrize("python", ["python3.11", "python3.13"])
def test_a_table_of_other_versions_is_refused(tmp_path: Path, python: str) -> None:
    shutil.copytree(TREE / "conf/lock", tmp_path / "conf/lock")
    lock = tmp_path / f"conf/lock/{python}/suites.txt"
    lock.write_text(lock.read_text().replace("dcor_shared==1.0.4", "dcor_shared==1.0.5"))
    with pytest.raises(DevError, match=rf"{python}/suites.txt pins, of: dcor_shared$"):
        suite_table.read(tmp_path, printed())


def test_a_suite_that_is_missing_is_named() -> None:
    found = json.loads(printed())
    del found["suites"][0]
    with pytest.raises(DevError, match="of: ckanext-dc_log_view"):
        suite_table.read(TREE, json.dumps(found))


def test_a_failure_without_a_cause_is_not_shown_but_mended() -> None:
    with pytest.raises(DevError, match=r"without a known cause .*: dcor_shared test_x::test_new"):
        suite_table.read(TREE, printed(**failed("test_x::test_new")))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"suites": [1]}', '{"suites": [{"suite": "a"}]}', printed(failed=1)])
def test_what_are_no_results_is_refused(text: str) -> None:
    with pytest.raises(DevError, match="These are no results"):
        suite_table.read(TREE, text)


def test_a_row_says_what_came_of_a_suite_and_a_line_why_tests_fail() -> None:
    first, second = (test for suite, test in CAUSES if suite == "dcor_shared" and "s3cc" in test)
    results = suite_table.read(TREE, printed(passed=44, skipped=None, **failed(first, second)))
    assert suite_table.table(results).splitlines()[-2:] == [
        "| dcor_control | 1.17.3 | 1 | 0 | 0 | 3 |",
        "| dcor_shared | 1.0.4 | 44 | 2 | ? | 3 |",
    ]
    assert suite_table.causes(results) == f"* dcor_shared, `{first}`, `{second}`: {CAUSES['dcor_shared', first]}.\n"


def test_the_script_takes_the_results_of_a_server(tmp_path: Path) -> None:
    for name in ("scripts", "conf/lock", "dcor_pkg", "docs"):
        shutil.copytree(TREE / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "decisions"))
    shutil.copy(TREE / suite_table.README, tmp_path)

    def run(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, str(tmp_path / "scripts/suite-table"), *arguments]
        return subprocess.run(argv, input=text, capture_output=True, text=True, check=False)

    before = (tmp_path / suite_table.README).read_text()
    refused = run("{}", "-")
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert (tmp_path / suite_table.README).read_text() == before

    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    refused = run("", str(tmp_path / "picture.png"))
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)

    assert run(printed(passed=47), "-").returncode == 0
    after = (tmp_path / suite_table.README).read_text()
    assert "| dcor_shared | 1.0.4 | 47 | 0 | 0 | 3 |" in after
    assert run("").returncode == 0
    assert (tmp_path / suite_table.README).read_text() == after
