"""What came of the tests of a suite, read from pytest's report, and which failures are known, with their causes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree as XmlTree

from dcor_pkg.ckan.checkouts import normalized
from dcor_pkg.errors import DcorError, printable
from dcor_pkg.test_instance import suites
from dcor_pkg.test_instance.known_failures import CAUSES

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
#: the elements of a test case in JUnit's XML, and what they say of it
RESULTS = {"failure": FAILED, "error": FAILED, "skipped": SKIPPED}
#: characters of a reason
REASON_LENGTH = 200


@dataclass(frozen=True)
class Test:
    """A test that did not pass, by its name, and why."""

    name: str
    result: str
    reason: str
    #: of a failure that is upstream's, or of what a test takes for granted; else ""
    cause: str = ""


@dataclass(frozen=True)
class Results:
    """What came of a suite."""

    suite: str
    #: of the extension; "" where it has none
    version: str
    passed: int
    seconds: float
    others: tuple[Test, ...]

    def count(self, result: str) -> int:
        """Return how many tests have a result."""
        return self.passed if result == PASSED else sum(test.result == result for test in self.others)

    @property
    def unexpected(self) -> list[Test]:
        """The failures of which no cause is known."""
        return [test for test in self.others if test.result == FAILED and not test.cause]

    @property
    def summary(self) -> str:
        """One line."""
        counts = ", ".join(f"{self.count(result)} {result}" for result in (PASSED, FAILED, SKIPPED))
        return f"{self.suite}: {counts} ({self.seconds:.0f} s)"

    def lines(self) -> Iterable[str]:
        """Give the summary, and a line for each test that did not pass."""
        yield self.summary
        for test in self.others:
            yield printable(f"    {test.result}: {test.name}: {test.cause or test.reason}")

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        counts = {result: self.count(result) for result in (PASSED, FAILED, SKIPPED)}
        named = {"suite": self.suite, "version": self.version}
        return {**named, **counts, "seconds": self.seconds, "tests": [asdict(it) for it in self.others]}


def read(suite: str, version: str, report: str) -> Results:
    """Return the results of a suite, of a report in JUnit's XML. Raises DcorError for what is none."""
    try:
        (top,) = XmlTree.fromstring(report).iter("testsuite")  # noqa: S314 (of the program that we have started)
    except (XmlTree.ParseError, ValueError):
        raise DcorError(f"pytest has left no report of the suite {suite}.", f"See {suites.log(suite)}") from None
    cases = list(top.iter("testcase"))
    # One that fails and whose end fails as well has two elements.
    found = [next((it for it in case if it.tag in RESULTS), None) for case in cases]
    others = [_test(suite, case, element) for case, element in zip(cases, found) if element is not None]
    return Results(suite, version, len(cases) - len(others), float(top.get("time", "0")), tuple(others))


def _test(suite: str, case: XmlTree.Element, element: XmlTree.Element) -> Test:
    module = case.get("classname", "").rpartition(".")[2]
    name, result = f"{module}::{case.get('name', '')}".removeprefix("::"), RESULTS[element.tag]
    reason = (element.get("message") or element.text or "").strip().partition("\n")[0][:REASON_LENGTH]
    return Test(name, result, reason, _cause(suite, name) if result == FAILED else "")


def _cause(suite: str, test: str) -> str:
    """Return the known cause of a failure, or "". The suite of a checkout has the normal form of the name."""
    wanted = (normalized(suite), test)
    return next((why for (name, each), why in CAUSES.items() if (normalized(name), each) == wanted), "")
