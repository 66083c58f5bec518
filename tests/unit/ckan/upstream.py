"""Upstream's code that cures change: as it is in the pinned wheels, parts that run without the rest, and its errors."""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dcor_dev import downloads, lockfiles
from dcor_dev.lockfiles import Pin

from dcor_pkg.ckan.known_issues import registry

LOCKS = Path(__file__).resolve().parents[3] / "conf/lock"
#: by the Python of its lock files
SUITES = {"python3.11": "bookworm", "python3.13": "trixie"}
FUTURE = "from __future__ import annotations\n"


class Denied(Exception):
    """NotAuthorized, of CKAN."""


class Unusable(Exception):
    """ValidationError or Invalid, of CKAN."""


class Unsent(Exception):
    """MailerException, of CKAN."""


class Aborted(Exception):
    """An answer other than 200."""


def unpack(python: str, wheels: Path, site: Path) -> None:
    """Unpack the files that cures change from the wheels that are pinned for this Python."""
    pins = _pins(LOCKS / python)
    packages = {_key(issue.versions.package) for issue in registry.ISSUES}
    downloads.wheels(SUITES[python], [pins[package] for package in packages], wheels)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site, {issue.cure.file for issue in registry.ISSUES} & set(archive.namelist()))


def load(file: Path, name: str, **globals_of_module: Any) -> Any:
    """Run the definition of one function or class, also in a class, of a module, with these globals."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            node.decorator_list = []
            module = ast.parse(FUTURE)
            module.body.append(node)
            exec(compile(module, str(file), "exec"), globals_of_module)
            return globals_of_module[name]
    raise AssertionError(f"{file} has no {name}")


def raises(error: Exception) -> Callable[..., Any]:
    """Return a function that raises an error, whatever it is given."""

    def function(*_: Any, **__: Any) -> None:
        raise error

    return function


def _pins(lock: Path) -> dict[str, Pin]:
    return {pin.key: pin for name in ("ckan.txt", "dcor.txt") for pin in lockfiles.read(lock / name)}


def _key(package: str) -> str:
    return Pin(package, "", "", "").key
