"""Run the checkers of style, types and shell scripts over the source."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from dcor_dev import cache, checkout, tools

#: The first line of a file without an extension determines its language. debian/dcor-server.config is both: a shell
#: script inside a Python string, which starts Python with the same file. It counts as Python.
PYTHON = re.compile(rb"#!/usr/bin/python3\b|#!/bin/sh\n''':")
SHELL = re.compile(rb"#!(/bin/|/usr/bin/env )(ba)?sh\b(?!\n''':)")

MAINTAINER_SCRIPT = re.compile(r"debian/[^/]+\.(config|preinst|postinst|prerm|postrm)")


def environment(requirements: Path) -> Path:
    """Return the virtual environment of the tests, of Debian's Python and packages that are pinned by their hashes.

    It is renamed after its creation, so run its programs as modules: the paths in the scripts are wrong.
    """
    tools.need_python("ensurepip", "python3-venv")
    version = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=True).stdout

    def make(target: Path) -> None:
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(target)], check=True)
        pip = [str(target / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, "--require-hashes", "--only-binary=:all:", "-r", str(requirements)], check=True)

    return cache.directory("environments", cache.key(version, requirements), make)


def look(tree: Path, bin_directory: Path) -> list[str]:
    """Run all checkers, also after one has failed, and return the names of those that found problems."""
    python, shell = python_files(tree), shell_files(tree)
    tools.need("shellcheck")
    run = [str(bin_directory / "python"), "-m"]
    # Each directory of tests has a conftest.py, and mypy rejects several modules of one name.
    conftests = [name for name in python if Path(name).name == "conftest.py"]
    # Debhelper replaces a token in maintainer scripts, and a shell may read them: formatting would break it.
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
    """Return the Python files of the checkout: modules, and programs recognized by their first line."""
    return [name for name in checkout.files(tree) if name.endswith(".py") or _starts_like(tree / name, PYTHON)]


def shell_files(tree: Path) -> list[str]:
    """Return the shell scripts of the checkout, without those that only start Python with themselves."""
    return [name for name in checkout.files(tree) if name.endswith(".sh") or _starts_like(tree / name, SHELL)]


def _starts_like(path: Path, language: re.Pattern[bytes]) -> bool:
    with path.open("rb") as file:
        return bool(language.match(file.read(100)))
