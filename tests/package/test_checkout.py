"""Public forges and pre-commit hooks run the same checks and tests as scripts/test."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from dcor_dev import checkout

TREE = Path(__file__).resolve().parents[2]
HOOKS = (TREE / ".pre-commit-config.yaml").read_text()
PINS = (TREE / "tests/requirements.txt").read_text()


@pytest.mark.parametrize("name", [".github/workflows/ci.yml", "debian/salsa-ci.yml"])
def test_a_forge_runs_all_checks_and_tests(name: str) -> None:
    assert re.search(r"^ +(run: |- )\.ci/run$", (TREE / name).read_text(), re.MULTILINE)


def test_hooks_run_programs_of_the_checkout() -> None:
    programs = [entry.split()[0] for entry in re.findall(r"entry: (.*)", HOOKS)]
    assert programs == ["scripts/check", "scripts/test"]
    assert all(os.access(TREE / program, os.X_OK) for program in programs)


def test_only_the_requirements_pin_versions_of_tools() -> None:
    assert re.findall(r"repo: (.*)", HOOKS) == ["local"]
    pinned = re.findall(r"^(ruff|mypy|pytest)==", PINS, re.MULTILINE)
    assert sorted(pinned) == ["mypy", "pytest", "ruff"]
    others = [name for name in checkout.files(TREE) if name.endswith((".cfg", ".md", ".toml", ".yaml", ".yml"))]
    version = re.compile(rf"\b({'|'.join(pinned)})\W{{1,3}}v?\d+\.\d+")
    assert version.search("additional_dependencies: [ruff==0.1.2]")
    assert [name for name in others if version.search((TREE / name).read_text())] == []
