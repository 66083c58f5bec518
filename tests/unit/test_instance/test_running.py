"""`dcor-server test-instance run`: a suite in a unit that sees nothing of production, and what came of its tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import lock, output
from dcor_pkg.machine.host import Access
from dcor_pkg.test_instance import known_failures, places, record, results, services, suites
from dcor_pkg.verbs import test_instance
from tests.unit.test_instance.second import REPORT, Second
from tests.unit.test_instance.test_making import files

THEME = "ckanext-dcor_theme"


def command(second: Second) -> tuple[str, ...]:
    """Return how the last suite was started."""
    return second.machine.ran("systemd-run", "--quiet", "--wait", "--pipe")[-1]


def test_a_suite_is_run_and_summed_up_by_name(second: Second) -> None:
    second("create")
    ended = second("run", THEME)
    assert ended.code == 1
    assert ended.lines == [
        f"{THEME}: 1 passed, 1 failed, 1 skipped (2 s)",
        "    failed: test_theme::test_bad: assert 1 == 2",
        "    skipped: test_theme::test_off: not here",
    ]
    assert ended.err == f"{THEME}: running; pytest's output is in {suites.log(THEME)}\n"


def test_what_is_json_is_nothing_else(second: Second) -> None:
    second("create", "--json")
    site = f"{release.directory(second.active)}/lib/python3.11/site-packages"
    second.host.make_directory(f"{site}/ckanext_dcor_theme-1.1.4.dist-info", Access(0o755))
    ended = second("run", THEME, "--json")
    (suite,) = ended.json["suites"]
    keys = ("suite", "version", "passed", "failed", "skipped", "seconds")
    assert [suite[key] for key in keys] == [THEME, "1.1.4", 1, 1, 1, 2.5]
    assert [(test["name"], test["result"], test["cause"]) for test in suite["tests"]] == [
        ("test_theme::test_bad", "failed", ""),
        ("test_theme::test_off", "skipped", ""),
    ]
    assert second("remove", "--json").json == {"message": "The test instance was removed."}


def test_a_failure_with_a_known_cause_is_shown_with_it_and_is_no_error(
    second: Second, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(known_failures.CAUSES, (THEME, "test_theme::test_bad"), "upstream's: it is Friday")
    second("create")
    ended = second("run", THEME)
    assert (ended.code, ended.lines[1]) == (0, "    failed: test_theme::test_bad: upstream's: it is Friday")


def test_all_suites_are_run_and_each_is_summed_up_as_it_ends(second: Second) -> None:
    second("create")
    ended = second("run", "all")
    summaries = [f"{name}: 1 passed, 1 failed, 1 skipped (2 s)" for name in (THEME, "dcor_shared")]
    assert [line for line in ended.lines if line[0] != " "] == summaries
    assert ended.err.splitlines()[1::2] == summaries


@pytest.mark.parametrize(
    ("is_seen", "arguments", "is_shown"),
    [(True, (), True), (False, (), False), (True, ("--json",), False), (True, ("--", "-k", "good"), True)],
)
def test_a_person_sees_the_lines_of_pytest_and_a_program_does_not(
    second: Second, monkeypatch: pytest.MonkeyPatch, is_seen: bool, arguments: tuple[str, ...], is_shown: bool
) -> None:
    second("create")
    second.code = 0
    monkeypatch.setattr(output, "is_seen", lambda: is_seen)
    ended = second("run", THEME, *arguments)
    assert (second.printed in ended.out) == is_shown
    assert second.printed not in ended.err
    assert second.host.read(suites.log(THEME)) == second.printed


def test_arguments_of_pytest_are_passed_on(second: Second) -> None:
    second("create")
    second("run", THEME, "--", "-k", "a word", "--lf")
    assert command(second)[-3:] == ("-k", "a word", "--lf")
    assert f"{places.SUITES}/{THEME}-tests" in command(second)


def test_a_dollar_in_an_argument_is_no_variable_of_systemd(second: Second) -> None:
    """It puts values of the environment into a command line (systemd.service(5), "COMMAND LINES")."""
    second("create")
    second("run", THEME, "--", "--deselect", "test_x.py::test_y[${HOME}]")
    assert command(second)[-1] == "test_x.py::test_y[$${HOME}]"


def test_a_suite_is_confined(second: Second) -> None:
    second("create")
    second("run", THEME)
    hidden = {word.partition("=-")[2] for word in command(second) if word.startswith("--property=InaccessiblePaths")}
    assert {"/data", "/etc/ckan/default/ckan.ini", "/run/postgresql", "/run/redis-dcor"} <= hidden
    assert {"--uid=www-data", "--gid=www-data", f"--setenv=CKAN_INI={places.INI}"} <= set(command(second))
    assert "--property=TemporaryFileSystem=/etc/dcor-server:ro" in command(second)
    assert f"--ckan-ini={places.INI}" in command(second)
    assert "--import-mode=importlib" in command(second)


def test_each_run_begins_with_the_tests_as_published(second: Second) -> None:
    second("create")
    second("run", THEME)
    left = f"{places.SUITES}/{THEME}-tests/left"
    second.host.write(left, "", Access(0o644, "www-data", "www-data"))
    second("run", THEME)
    assert not second.host.exists(left)


def test_a_suite_that_was_left_is_ended_and_stopped_services_are_started(second: Second) -> None:
    second("create")
    second.machine.systemd.units[services.STORE].active = "inactive"
    second("run", THEME)
    assert second.units[services.STORE] == "active"
    assert second.machine.ran("systemctl", "stop", services.SUITE_PATTERN)


def test_pytest_that_could_not_run_is_an_error_with_its_words(second: Second) -> None:
    second("create")
    second.code = 4
    second.host.write(suites.log(THEME), "ERROR: unknown option\n", Access(0o600))
    ended = second("run", THEME)
    assert ended.code == 1
    assert (
        f"The suite {THEME} was not run: pytest does not know these arguments.\n    ERROR: unknown option\n"
        in ended.err
    )


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (0, "was not run: the arguments ask pytest for something else"),  # for its --help
        (1, "was killed before it ended"),
        (3, "was not run: pytest ended with exit code 3"),
        (5, "was not run: it has no test that was asked for"),
    ],
)
def test_what_leaves_no_report_says_why(second: Second, code: int, why: str) -> None:
    second("create")
    second.code, second.report = code, ""
    second.host.write(suites.log(THEME), "said\n", Access(0o600))
    ended = second("run", THEME, "--json")
    assert (ended.code, ended.out, f"The suite {THEME} {why}.\n" in ended.err) == (1, "", True), ended.err


@pytest.mark.parametrize("report", ["", "<testsuites/>", "no xml"])
def test_a_report_that_is_none_is_an_error(report: str) -> None:
    with pytest.raises(DcorError, match="has left no report") as raised:
        results.read(THEME, "1", report)
    assert raised.value.hint == f"See {suites.log(THEME)}"


def test_what_controls_a_terminal_is_not_shown_of_a_test(second: Second) -> None:
    """XML may contain C1 controls, as the one-letter form of what begins a sequence, and pytest writes them."""
    second("create")
    second.report = REPORT.replace("assert 1 == 2", "\x9b2Jgone").replace('"test_off"', '"test_off[\x9b2J]"')
    assert second("run", THEME).lines[1:] == [
        "    failed: test_theme::test_bad: ?2Jgone",
        "    skipped: test_theme::test_off[?2J]: not here",
    ]


def test_a_test_that_fails_and_whose_end_fails_counts_once() -> None:
    twice = REPORT.replace("</failure>", '</failure><error message="teardown"/>')
    found = results.read(THEME, "1", twice)
    assert (found.passed, found.count(results.FAILED)) == (1, 1)


@pytest.mark.parametrize(
    "name", ["ckanext-none", "dcor_theme", "", ".", "..", "~", "ALL", " all", "a\nb", "\x1b[2J", "ä"]
)
def test_what_is_no_suite_is_named_with_those_that_there_are(second: Second, name: str) -> None:
    second("create")
    before = files(second)
    ended = second("run", name, "--json")
    there_are = f"There are: {THEME}, dcor_shared; all; or the path of a checkout."
    message = f"dcor-server: There is no suite {name!r}.\n    {there_are}\n"
    assert (ended.code, ended.out, ended.err) == (1, "", message)
    assert files(second) == before


@pytest.mark.parametrize(
    "arguments", [(), ("run",), ("run", THEME, "-k", "word"), ("run", THEME, "--unknown"), ("test",)]
)
def test_wrong_usage_is_said_as_argparse_does(second: Second, arguments: tuple[str, ...]) -> None:
    second("create")
    ended = second(*arguments)
    assert (ended.code, ended.out, ended.err.startswith("usage: dcor-server")) == (2, "", True)


def test_a_package_without_suites_is_an_error_and_no_success(second: Second) -> None:
    second("create")
    second.host.remove_tree(suites.SHIPPED_SUITES)
    ended = second("run", "all")
    assert (ended.code, "apt install --reinstall dcor-wheels-test" in ended.err) == (1, True)


def test_a_second_command_is_refused_while_a_suite_runs(second: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    second("create")
    monkeypatch.setattr(test_instance, "WAIT_SECONDS", 0.0)
    before = files(second)
    with lock.held(second.host, path=places.LOCK):
        for action in (("create",), ("run", THEME), ("remove",)):
            ended = second(*action)
            assert (ended.code, ended.out, "Another dcor-server command is running" in ended.err) == (1, "", True)
    assert files(second) == before


def test_without_a_test_instance_there_is_nothing_to_run_in(second: Second) -> None:
    ended = second("run", THEME)
    assert (ended.code, "There is no test instance." in ended.err, "test-instance create" in ended.err) == (
        1,
        True,
        True,
    )


def test_a_test_instance_is_for_one_release(second: Second) -> None:
    second("create")
    record.write(second.host, record.Instance("2.11.5-former", 0.0))
    ended = second("run", THEME)
    assert ended.code == 1
    assert "was made for the release 2.11.5-former" in ended.err
    assert record.REMOVE in ended.err


@pytest.mark.parametrize("python", ["python3.11", "python3.13"])
def test_each_known_failure_is_of_a_suite_that_there_is(python: str) -> None:
    sources = (Path(__file__).parents[3] / f"conf/lock/{python}/suites.txt").read_text()
    assert all(f"\n{suite}==" in sources and "::" in test for suite, test in known_failures.CAUSES)
