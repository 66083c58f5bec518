"""Debconf's config imports the modules that the build embeds in it, with nothing but the standard library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[3]
#: Run config, whose connection to debconf fails, and print from where each embedded module was imported.
DRIVER = """
import importlib, json, runpy, sys, types

class Debconf:
    def __init__(self, **ends):
        raise OSError("no debconf")

sys.modules["debconf"] = types.ModuleType("debconf")
sys.modules["debconf"].DebconfError, sys.modules["debconf"].Debconf = type("DebconfError", (Exception,), {}), Debconf
sys.argv = ["config", "reconfigure"]
config = runpy.run_path(sys.stdin.readline().strip())
names = {path: path[:-3].replace("/", ".").removesuffix(".__init__") for path in config["SOURCES"]}
specs = {path: importlib.import_module(name).__spec__ for path, name in names.items()}
assert all(isinstance(spec.loader, config["EmbeddedModules"]) for spec in specs.values())
print(json.dumps({path: spec.origin for path, spec in specs.items()}))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a checkout with what config is built from."""
    for name in ("dcor_pkg/__init__.py", "dcor_pkg/errors.py", "debian/stage/dcor-server"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TREE / name, tmp_path / name)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("dcor_pkg/answers", "conf/messages"):
        shutil.copytree(TREE / name, tmp_path / name, ignore=ignored)
    return tmp_path


def stage(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the script that stages the package."""
    argv = ["debian/stage/dcor-server", str(tree / "target")]
    return subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=False)


def run_config(tree: Path) -> subprocess.CompletedProcess[str]:
    """Build config as debhelper does, and run it without any module that Debian's packages bring."""
    assert stage(tree).returncode == 0
    sources = (tree / "debian/dcor-server.config.debhelper").read_text(encoding="utf-8")
    text = (TREE / "debian/dcor-server.config").read_text(encoding="utf-8")
    assert text.count("#DEBHELPER#") == 1
    config = tree / "config"
    config.write_text(text.replace("#DEBHELPER#", sources), encoding="utf-8")
    return subprocess.run(
        ["/usr/bin/python3", "-I", "-S", "-c", DRIVER],
        cwd=tree,
        env={**os.environ, "DEBIAN_HAS_FRONTEND": "1"},
        input=f"{config}\n",
        capture_output=True,
        text=True,
        check=False,
    )


def test_config_imports_all_that_is_embedded_and_reaches_debconf(tree: Path) -> None:
    done = run_config(tree)
    assert done.stderr == "dcor-server: some questions could not be asked: OSError: no debconf\n"
    answers = {f"dcor_pkg/answers/{path.name}" for path in (TREE / "dcor_pkg/answers").glob("*.py")}
    embedded = {"dcor_pkg/__init__.py", "dcor_pkg/errors.py", *answers}
    assert json.loads(done.stdout) == {path: path for path in embedded}


@pytest.mark.parametrize("name", ["dcor_pkg.machine.host", "jinja2"])
def test_an_import_of_a_module_that_is_not_embedded_fails(tree: Path, name: str) -> None:
    with (tree / "dcor_pkg/answers/questions.py").open("a", encoding="utf-8") as file:
        file.write(f"\nimport {name}\n")
    done = run_config(tree)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_a_module_that_would_end_its_string_in_config_is_not_staged(tree: Path) -> None:
    (tree / "dcor_pkg/answers/quotes.py").write_text("TEXT = '''three'''\n", encoding="utf-8")
    done = stage(tree)
    assert done.returncode == 1
    assert "quotes.py contains three single quotes" in done.stderr
