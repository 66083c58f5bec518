"""`dcor-server test-instance run PATH`: the tests of a checkout, with its modules before those of the release."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dcor_pkg.ckan import release_build
from dcor_pkg.ckan.readable_checkouts import NoFormerCheckouts, given
from dcor_pkg.errors import DcorError
from dcor_pkg.machine import output, python_environment
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.test_instance import checkout, known_failures, places, suites
from tests.unit.kernel.damages import CHECKOUT, make_checkout
from tests.unit.test_instance.second import Second

THEME = "ckanext-dcor_theme"
NAME = "ckanext-mine"
OF_DEV = Access(0o644, "dev", "dev")
#: starts as a Python of the environment does
IMPORTED = """
import os, sys, types
os.geteuid, sys.prefix = lambda: {user}, sys.argv[1]
for name, path in (("dcor_runtime", sys.argv[2]), ("ckanext", sys.argv[3])):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
import dcor_runtime.tested_checkout
import ckanext.mine
print(ckanext.mine.WORD)
"""


@pytest.fixture
def made(second: Second) -> Second:
    """Return a test instance, beside a checkout with tests that CKAN's user cannot read."""
    second("create")
    make_checkout(second.machine)
    second.host.write(f"{CHECKOUT}/tests/test_mine.py", "", OF_DEV)
    second.machine.files.closed.append(CHECKOUT)
    return second


def site(second: Second) -> str:
    return python_environment.site_packages(second.host, places.ENVIRONMENT)


def installed(second: Second) -> list[str]:
    return sorted(name for name in second.host.names(site(second)) if "checkout" in name or "develop" in name)


def test_its_tests_are_run_with_its_modules_and_rights_are_taken_back_at_the_end(made: Second) -> None:
    made.code, ended = 0, made("run", f"{CHECKOUT}/")
    assert ended.err == f"{NAME} of {CHECKOUT}: running; pytest's output is in {suites.log(NAME)}\n"
    assert ended.lines[0] == f"{NAME}: 1 passed, 1 failed, 1 skipped (2 s)"
    program = made.machine.ran("systemd-run", "--quiet", "--wait", "--pipe")[-1]
    assert f"--property=BindReadOnlyPaths={CHECKOUT}" in program
    assert f"{places.SUITES}/{NAME}-tests" in program
    own = made.host.path(CHECKOUT).stat()
    start = program.index("/bin/sh")
    script = suites.ONLY_SEEN.replace("$", "$$")
    assert program[start + 1 : start + 6] == ("-c", script, "sh", CHECKOUT, f"{own.st_dev}:{own.st_ino}")
    assert program[start + 6].endswith("/bin/pytest")
    (metadata,) = (name for name in installed(made) if name.endswith(".dist-info"))
    assert f"Name: {NAME}\n" in (made.host.read(f"{site(made)}/{metadata}/METADATA") or "")
    assert made.host.read(checkout.LIST) == f'["{CHECKOUT}"]'
    assert made.machine.files.asked == [("dev", "give", CHECKOUT)]
    # A converge leaves it, for it knows of checkouts that are developed.
    assert NoFormerCheckouts(()).check(made.host) is None
    made("remove")
    assert made.machine.files.asked[-1] == ("dev", "take", CHECKOUT, "tree")
    assert given(made.host) == {}


def test_a_directory_in_the_place_of_the_checkout_is_not_used(tmp_path: Path) -> None:
    """Its owner may exchange it before systemd has mounted it."""
    before = tmp_path.stat()
    for identity, ended in ((f"{before.st_dev}:{before.st_ino}", (0, "run\n")), ("1:2", (70, ""))):
        argv = ("/bin/sh", "-c", suites.ONLY_SEEN, "sh", str(tmp_path), identity, "echo", "run")
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == ended


def test_the_next_suite_has_the_modules_of_the_release_alone(made: Second) -> None:
    (suite,) = made("run", CHECKOUT, "--json").json["suites"]
    assert suite["version"].endswith("+develop")
    assert len(installed(made)) == 2
    made("run", THEME)
    assert installed(made) == []
    assert f"BindReadOnlyPaths={CHECKOUT}" not in str(
        made.machine.ran("systemd-run", "--quiet", "--wait", "--pipe")[-1]
    )


def test_a_checkout_that_has_changed_is_installed_anew(made: Second) -> None:
    made("run", CHECKOUT)
    text = made.host.read(f"{CHECKOUT}/pyproject.toml") or ""
    made.host.write(f"{CHECKOUT}/pyproject.toml", text.replace(NAME, "ckanext-other"), OF_DEV)
    made("run", CHECKOUT)
    (metadata,) = (name for name in installed(made) if name.endswith(".dist-info"))
    assert metadata.startswith("ckanext_other-")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("./mine", "is not an absolute path"),
        ("/", "is not an absolute path"),
        ("/srv/\x1b[2J", "/srv/?[2J is not an absolute path"),
        ("/data/mine", "/data/mine is in /data, of which a suite sees nothing."),
        ("/etc/dcor-server", "/etc/dcor-server is in /etc/dcor-server, of which a suite sees nothing."),
        ("/srv/a:b", "is not an absolute path"),
        ("/srv/none", "/srv/none is not a directory."),
        ("/srv/dev", "has no pyproject.toml"),
    ],
)
def test_what_is_no_checkout_is_refused(made: Second, path: str, words: str) -> None:
    ended = made("run", path)
    assert (ended.code, words in ended.err, ended.out) == (1, True, ""), ended.err
    assert installed(made) == []


def test_a_known_failure_is_known_in_a_checkout_too(made: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of its distribution may be spelt in another way."""
    monkeypatch.setitem(known_failures.CAUSES, ("ckanext_Mine", "test_theme::test_bad"), "upstream's: it is Friday")
    ended = made("run", CHECKOUT)
    assert (ended.code, "upstream's: it is Friday" in ended.out) == (0, True)


def test_a_person_sees_the_tests_of_a_checkout_too(made: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "is_seen", lambda: True)
    made.code = 0
    assert made.printed in made("run", CHECKOUT).out


def test_a_disk_that_is_full_while_it_is_installed_leaves_no_rights(
    made: Second, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = made.host.__class__.write

    def write(host: Host, path: str, *arguments: Any) -> None:
        if path == checkout.LIST:
            raise DcorError(f"{path} cannot be written: No space left on device")
        real(host, path, *arguments)

    monkeypatch.setattr(made.host.__class__, "write", write)
    ended = made("run", CHECKOUT)
    assert (ended.code, "A disk has become full; " in ended.err) == (1, True), ended.err
    assert (installed(made), given(made.host)) == ([], {})
    assert made.machine.files.asked[-1] == ("dev", "take", CHECKOUT, "tree")


def test_a_checkout_without_tests_is_refused(made: Second) -> None:
    shutil.rmtree(made.host.path(f"{CHECKOUT}/tests"))
    ended = made("run", CHECKOUT)
    assert (ended.code, f"{CHECKOUT} has no tests" in ended.err) == (1, True), ended.err


@pytest.mark.parametrize(("user", "word"), [(33, "checkout"), (0, "release")])
def test_its_modules_come_first_but_not_for_root(tmp_path: Path, user: int, word: str) -> None:
    for name in ("checkout", "release"):
        (tmp_path / name / "ckanext/mine").mkdir(parents=True)
        (tmp_path / name / "ckanext/mine/__init__.py").write_text(f"WORD = {name!r}\n")
    (tmp_path / Path(checkout.LIST).name).write_text(f'["{tmp_path}/checkout"]')
    directories = (str(tmp_path), str(release_build.RUNTIME), f"{tmp_path}/release/ckanext")
    argv = [sys.executable, "-I", "-c", IMPORTED.format(user=user), *directories]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == f"{word}\n"
