"""Lines of .pth files are tried as Python does, and the reason of one that fails is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dcor_pkg.runtime import pth_files
from dcor_pkg.runtime.pth_files import FAILS, LEFT_OVER, OTHER_PYTHON, UNREADABLE

#: what setuptools writes for a namespace package
NAMESPACE = (
    "import sys, types, os;p = os.path.join({place}, *('{package}',));importlib = __import__('importlib.util');"
    "__import__('importlib.machinery');m = sys.modules.setdefault('{package}', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('{package}', [os.path.dirname(p)])));"
    "mp = m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)"
)
SITEDIR = "sys._getframe(1).f_locals['sitedir']"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site-packages directory with a package that can be imported."""
    (tmp_path / "there_is_one").mkdir()
    (tmp_path / "there_is_one/__init__.py").touch()
    return tmp_path


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of paths that nobody can read, since tests may be run by root."""
    paths: list[str] = []
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) not in paths and access(path, mode))
    return paths


def kinds(site: Path, text: str) -> list[tuple[int, str, str]]:
    (site / "x-nspkg.pth").write_text(text, encoding="utf-8")
    return [(it["line"], it["kind"], it["about"]) for it in pth_files.faults(site)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# a comment\n\n/nowhere/at/all\n",
        "import os\n",
        NAMESPACE.format(place=SITEDIR, package="there_is_one"),
    ],
)
def test_what_works_is_no_fault(site: Path, text: str) -> None:
    assert kinds(site, text) == []


@pytest.mark.parametrize(
    ("text", "line", "kind", "about"),
    [
        ("import surely_gone\n", 1, LEFT_OVER, "surely_gone"),
        (f"import os\n{NAMESPACE.format(place=SITEDIR, package='lost_one')}\n", 2, LEFT_OVER, "SITE/lost_one"),
        (NAMESPACE.format(place="'/nowhere'", package="lost_two"), 1, LEFT_OVER, "/nowhere"),
        (NAMESPACE.format(place="'/usr/lib/python2.7/x'", package="lost_three"), 1, OTHER_PYTHON, "python2.7"),
        ("import os; print 'x'\n", 1, OTHER_PYTHON, "no line for Python"),
        ("import os; os.no_such_thing\n", 1, FAILS, "AttributeError: module 'os' has no attribute 'no_such_thing'"),
    ],
)
def test_what_fails_is_told_with_its_reason(site: Path, text: str, line: int, kind: str, about: str) -> None:
    ((found_line, found_kind, found_about),) = kinds(site, text)
    assert (found_line, found_kind) == (line, kind)
    assert found_about.startswith(about.replace("SITE", str(site)))


def test_a_source_that_cannot_be_read_is_named(site: Path, closed: list[str]) -> None:
    (site / "checkout").mkdir()
    closed.append(f"{site}/checkout")
    text = NAMESPACE.format(place=f"'{site}/checkout'", package="lost_four")
    assert kinds(site, text) == [(1, UNREADABLE, f"{site}/checkout")]
    assert kinds(site, f"{site}/checkout\n") == [(1, UNREADABLE, f"{site}/checkout")]


def test_a_directory_of_the_release_that_is_closed_is_named(
    site: Path, closed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python takes it for a package without modules, and reports nothing."""
    (site / "closed_one").mkdir()
    closed.append(f"{site}/closed_one")
    assert kinds(site, "import closed_one.plugin\n") == [(1, UNREADABLE, f"{site}/closed_one")]
    monkeypatch.syspath_prepend(str(site))
    assert kinds(site, "import closed_one\n") == [(1, UNREADABLE, f"{site}/closed_one")]


def test_an_error_of_permissions_names_the_file(site: Path) -> None:
    text = "import os; raise PermissionError(13, 'Permission denied', '/root/checkout')\n"
    assert kinds(site, text) == [(1, UNREADABLE, "/root/checkout")]


def test_a_file_that_cannot_be_read_is_a_fault(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    (site / "x-nspkg.pth").touch()
    monkeypatch.setattr(Path, "read_text", refuse)
    assert [it["kind"] for it in pth_files.faults(site)] == [UNREADABLE]


def test_it_tries_the_files_beside_it_and_prints_json(tmp_path: Path) -> None:
    (tmp_path / "dcor_runtime").mkdir()
    for name in ("__init__.py", "pth_files.py"):
        (tmp_path / "dcor_runtime" / name).write_text((Path(pth_files.__file__).parent / name).read_text("utf-8"))
    (tmp_path / "x.pth").write_text("import surely_gone\n")
    done = subprocess.run(
        [sys.executable, "-m", "dcor_runtime.pth_files"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout == '[{"file": "x.pth", "line": 1, "kind": "left over", "about": "surely_gone"}]\n'
