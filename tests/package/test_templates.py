"""The questions in the built package: complete in two languages, and validated by the package's own code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dcor_dev import roots
from deb import Deb

TREE = Path(__file__).resolve().parents[2]
EMBEDDED = ("dcor_pkg/__init__.py", "dcor_pkg/errors.py", "dcor_pkg/answers/*.py")


@pytest.fixture(scope="module")
def control(content: dict[str, Deb], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory with the package's scripts and templates."""
    target = tmp_path_factory.mktemp("control")
    subprocess.run(["dpkg-deb", "--control", str(content["dcor-server"].path), str(target)], check=True)
    return target


def test_each_text_has_a_german_translation(control: Path) -> None:
    templates = (control / "templates").read_text(encoding="utf-8").strip().split("\n\n")
    assert templates
    for template in templates:
        texts = set(re.findall(r"^(Choices|Description):", template, re.MULTILINE))
        german = set(re.findall(r"^(Choices|Description)-de\.UTF-8:", template, re.MULTILINE))
        assert (template.splitlines()[0], german) == (template.splitlines()[0], texts)


def test_there_is_a_german_message_for_each_english_one(control: Path) -> None:
    """Each message is a paragraph, and belongs to the one in the same place of the other language."""
    template = (control / "templates").read_text(encoding="utf-8").partition("Template: dcor-server/messages\n")[2]
    english, german = (
        re.split(r"\n \.\n", text) for text in re.findall(r"^Description.*\n((?: .*\n?)+)", template, re.MULTILINE)[:2]
    )
    assert len(english) == len(german) > 1
    assert set(english) & set(german) == set()


def test_the_translation_is_complete_and_up_to_date(suite: str) -> None:
    script = """
        mkdir /tmp/tree; cp -r /srv/debian /tmp/tree/; cd /tmp/tree
        LC_ALL=C msgfmt --check --statistics --output-file=/dev/null debian/po/de.po 2>&1
        debconf-updatepo
        sed -i /POT-Creation-Date/d debian/po/*.po* && cp -r /srv/debian/po /tmp/po && sed -i /POT-Creation-Date/d /tmp/po/*.po*
        diff -r /tmp/po debian/po && echo up to date
    """
    done = roots.chroot_run(
        roots.build_root(suite), "sh", "-euc", script, read_only={TREE / "debian": "/srv/debian"}, check=False
    )
    assert re.search(r"^\d+ translated messages\.$", done.stdout, re.MULTILINE), done.stdout
    assert "up to date" in done.stdout, done.stdout


def test_config_contains_the_modules_that_it_imports_word_for_word(control: Path) -> None:
    text = (control / "config").read_text()
    for path in (path for pattern in EMBEDDED for path in TREE.glob(pattern)):
        assert f"SOURCES['{path.relative_to(TREE)}'] = r'''\n{path.read_text()}'''\n" in text
    assert "#DEBHELPER#" not in text


@pytest.mark.parametrize("debconf", [True, False], ids=["debconf", "none"])
def test_config_runs_before_the_package_is_unpacked(suite: str, control: Path, debconf: bool) -> None:
    """With debconf's module it reaches debconf; without, it ends quietly. It ignores Python modules in /usr/local."""
    script = """
        directory=/usr/local/lib/$(readlink /usr/bin/python3)/dist-packages
        mkdir -p $directory; echo 'raise SystemExit("not this one")' >$directory/configparser.py
    """
    if debconf:
        module = "class DebconfError(Exception): pass\\nclass Debconf:\\n    def __init__(self, **ends): raise OSError(*ends)\\n"
        script += f"printf '{module}' >/usr/lib/python3/dist-packages/debconf.py\n"
    script += "DEBIAN_HAS_FRONTEND=1 /srv/control/config configure 2>&1; echo exit code $?"
    done = roots.chroot_run(
        roots.build_root(suite), "sh", "-euc", script, read_only={control: "/srv/control"}, check=False
    )
    message = "dcor-server: some questions could not be asked: OSError: [Errno read] write\n" if debconf else ""
    assert done.stdout == f"{message}exit code 0\n"
