"""The law of imports: a room imports only from rooms below it, so that each can be read, tested and changed alone."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dcor_pkg"
MIDDLE = ("services", "tls", "tokens", "nginx", "ckan")
BASE = ("errors", "answers", "machine", "kernel")
STORY = ("plan", "preflight", "converge")
#: what each room may import from; a room may always import from itself
LAW = {
    "errors": (),
    "runtime": (),
    "answers": ("errors",),
    "machine": ("errors", "answers"),
    "kernel": ("errors", "answers", "machine"),
    # the region of signatures, and what a trial knows, are facts of what runs inside CKAN
    "services": (*BASE, "runtime"),
    "tls": BASE,
    "tokens": (*BASE, "tls"),
    "nginx": (*BASE, "services", "tls"),
    "ckan": (*BASE, "services", "tls", "nginx", "runtime"),
    "plan": (*BASE, *MIDDLE),
    "preflight": (*BASE, *MIDDLE),
    "converge": (*BASE, *MIDDLE, "plan", "preflight"),
    # runtime: what the mark of an object store is
    "test_instance": (*BASE, *MIDDLE, "runtime"),
    "known_issues": (*BASE, *MIDDLE),
    "status": (*BASE, *MIDDLE, "test_instance"),
    "verbs": (*BASE, *MIDDLE, *STORY, "known_issues", "status", "test_instance"),
    "cli": (*BASE, *MIDDLE, *STORY, "status", "verbs"),
    "maintainer": (*BASE, *MIDDLE, *STORY, "status", "verbs"),
}
#: what only one place does
STARTS_PROCESSES = "machine/process.py"
#: a program of its own, which packages and releases have copies of: it needs fork(2) for a session on a new terminal
FORKS = "machine/terminal.py"
PRINTS = ("cli.py", "maintainer.py")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """Return the room of a module: the directory, or the module itself where it stands beside the rooms."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Give the full name of each module that a module imports, type checking included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def calls(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_rooms_below(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        assert list(imports(path)) == []
        return
    for name in imports(path):
        package, _, rest = name.partition(".")
        if package == "dcor_pkg":
            imported = rest.partition(".")[0]
            assert imported == own or imported in LAW[own], f"{path} imports {name}"


@pytest.mark.parametrize(
    "path", [path for path in modules() if room(path) in ("errors", "answers")], ids=lambda path: path.name
)
def test_answers_need_only_the_standard_library(path: Path) -> None:
    """Debconf's config runs before any dependency of ours is unpacked; its own binding is the exception."""
    foreign = {name.partition(".")[0] for name in imports(path)} - {"dcor_pkg"} - set(sys.stdlib_module_names)
    assert foreign <= {"debconf"}


def test_only_the_runtime_imports_ckan() -> None:
    foreign = ("ckan", "ckanext", "alembic", "uwsgi", "dclab")
    users = {room(path) for path in modules() for name in imports(path) if name.partition(".")[0] in foreign}
    assert users == {"runtime"}


def test_processes_are_started_in_one_module() -> None:
    users = {
        str(path.relative_to(PACKAGE)) for path in modules() for name in imports(path) if name.startswith("subprocess")
    }
    assert users == {STARTS_PROCESSES}


def test_processes_are_forked_in_one_program_that_needs_nothing_of_ours() -> None:
    forks = re.compile(r"\bos\.(fork|forkpty|posix_spawn|spawn|system|popen)|\bpty\.|\bmultiprocessing\b")
    others = [path for path in modules() if room(path) != "runtime"]
    assert {str(path.relative_to(PACKAGE)) for path in others if forks.search(path.read_text("utf-8"))} == {FORKS}
    assert {name.partition(".")[0] for name in imports(PACKAGE / FORKS)} <= set(sys.stdlib_module_names)


def test_only_the_entrances_print() -> None:
    users = {str(path.relative_to(PACKAGE)) for path in modules() if "print" in calls(path) and room(path) != "runtime"}
    assert users <= set(PRINTS)


def test_nobody_imports_the_entrances() -> None:
    assert all("cli" not in allowed and "maintainer" not in allowed for allowed in LAW.values())
