"""The table in README.md of what came of upstream's suites, made from the results of a server.

It is of the versions that are pinned, names each known failure with its cause, and is not made where another one is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dcor_dev import lockfiles, marked_part
from dcor_dev.errors import DevError
from dcor_pkg.test_instance.known_failures import CAUSES

README = "README.md"
#: what `dcor-server test-instance run all --json` has printed, as far as the table needs it
RESULTS = "docs/suites.json"
LOCKS = "conf/lock/*/suites.txt"
MARKS = ("<!-- made by scripts/suite-table -->\n", "<!-- end of scripts/suite-table -->\n")
COLUMNS = ("suite", "version", "passed", "failed", "skipped", "seconds")
#: stands for what was not measured
UNKNOWN = "?"
Suite = dict[str, Any]


def read(tree: Path, text: str) -> list[Suite]:
    """Return the results of all suites. Raises DevError for what does not belong into the table."""
    try:
        found = [_suite(each) for each in json.loads(text)["suites"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DevError(f"These are no results of `dcor-server test-instance run all --json`: {error!r}") from None
    _require_pinned(tree, {suite["suite"]: suite["version"] for suite in found})
    unexplained = [f"{name} {test}" for name, test in _failures(found) if (name, test) not in CAUSES]
    if unexplained:
        raise DevError(f"Failures without a known cause are mended, and not shown: {', '.join(unexplained)}")
    return found


def as_json(results: list[Suite]) -> str:
    """Return the text of the file that keeps the results."""
    return json.dumps({"suites": results}, indent=1) + "\n"


def readme(tree: Path, results: list[Suite]) -> str:
    """Return the text of README.md with the table."""
    unknown = f"\n{UNKNOWN}: not measured yet.\n" if any(None in suite.values() for suite in results) else ""
    return marked_part.replaced(tree / README, *MARKS, f"\n{table(results)}{unknown}\n{causes(results)}\n")


def table(results: list[Suite]) -> str:
    """Return a line for each suite."""
    rows: list[tuple[str, ...]] = [COLUMNS, ("---",) * 2 + ("--:",) * 4]
    rows += [tuple(UNKNOWN if suite[key] is None else str(suite[key]) for key in COLUMNS) for suite in results]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def causes(results: list[Suite]) -> str:
    """Return a line for each cause of failures of a suite."""
    tests: dict[tuple[str, str], list[str]] = {}
    for name, test in _failures(results):
        tests.setdefault((name, CAUSES[name, test]), []).append(f"`{test}`")
    return "".join(f"* {name}, {', '.join(found)}: {cause}.\n" for (name, cause), found in tests.items())


def _suite(found: Suite) -> Suite:
    """Return what is kept: of the tests, those that have failed. What is null was not measured."""
    seconds = None if found["seconds"] is None else round(found["seconds"])
    failed = [{"name": it["name"], "result": it["result"]} for it in found["tests"] if it["result"] == "failed"]
    if len(failed) != (found["failed"] or 0):
        raise ValueError(f"{found['suite']} has {found['failed']} failures, of which {len(failed)} are named")
    return {**{key: found[key] for key in COLUMNS}, "seconds": seconds, "tests": failed}


def _failures(results: list[Suite]) -> list[tuple[str, str]]:
    return [(suite["suite"], test["name"]) for suite in results for test in suite["tests"]]


def _require_pinned(tree: Path, versions: dict[str, str]) -> None:
    """Raise DevError where results are of other suites or versions than each lock file has."""
    for lock in sorted(tree.glob(LOCKS)):
        pinned = {pin.name: pin.version for pin in lockfiles.read(lock)}
        differing = sorted(set(versions.items()) ^ set(pinned.items()))
        if differing:
            names = ", ".join(sorted({name for name, _ in differing}))
            raise DevError(f"The results are of other versions than {lock.relative_to(tree)} pins, of: {names}")
