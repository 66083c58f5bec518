"""Look at the source as tools do: style, types, shell."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dcor_dev import cache, checkout, tools

#: How a file without an extension says what it is written in. Debconf's config is shell that hides in a Python string
#: and hands itself over; what counts is the Python.
PYTHON = re.compile(rb"#!/usr/bin/python3\b|#!/bin/sh\n''':")
SHELL = re.compile(rb"#!(/bin/|/usr/bin/env )(ba)?sh\b(?!\n''':)")

MAINTAINER_SCRIPT = re.compile(r"debian/[^/]+\.(config|preinst|postinst|prerm|postrm)")


def environment(requirements: Path) -> Path:
    """Return the virtual environment of the tests, on Debian's own Python; the packages are pinned by their hashes.

    It is moved after it was made, so its programs are run as modules: the paths in them lead nowhere.
    """
    tools.need_python("ensurepip", "python3-venv")
    version = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=True).stdout

    def make(target: Path) -> None:
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(target)], check=True)
        pip = [str(target / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, "--require-hashes", "--only-binary=:all:", "-r", str(requirements)], check=True)

    return cache.folder("environments", cache.key(version, requirements), make)


def look(tree: Path, bin_folder: Path) -> list[str]:
    """Run all checkers over the checkout, each to its end, and return the names of those that found something."""
    python, shell = python_files(tree), shell_files(tree)
    tools.need("shellcheck")
    run = [str(bin_folder / "python"), "-m"]
    # Each part of the tests has a conftest, and mypy would take them for one module.
    conftests = [name for name in python if Path(name).name == "conftest.py"]
    # Debhelper fills maintainer scripts in, and a shell may read them first: their quotes are not Python's.
    plain = [name for name in python if not MAINTAINER_SCRIPT.fullmatch(name)]
    types = [*run, "mypy", "--no-error-summary"]
    commands = [
        ("ruff check", [*run, "ruff", "check", "--quiet", *python]),
        ("ruff format", [*run, "ruff", "format", "--quiet", "--diff", *plain]),
        ("mypy", [*types, *(name for name in python if name not in conftests)]),
        *((f"mypy {name}", [*types, name]) for name in conftests),
        ("shellcheck", ["shellcheck", "--external-sources", *shell]),
    ]
    return [name for name, argv in commands if subprocess.run(argv, cwd=tree, check=False).returncode]


def python_files(tree: Path) -> list[str]:
    """Return all Python files of the checkout: modules, and programs by their first line."""
    return [name for name in checkout.files(tree) if name.endswith(".py") or _says(tree / name, PYTHON)]


def shell_files(tree: Path) -> list[str]:
    """Return all shell files of the checkout; those that only hand themselves over to Python are Python's."""
    return [name for name in checkout.files(tree) if name.endswith(".sh") or _says(tree / name, SHELL)]


def _says(path: Path, language: re.Pattern[bytes]) -> bool:
    with path.open("rb") as file:
        return bool(language.match(file.read(100)))
