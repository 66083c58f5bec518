"""A release is made of whole packages, under another name, and nothing of it remains when that fails."""

from __future__ import annotations

import os
import shutil
from importlib import metadata
from typing import Any

import pytest

from dcor_pkg.ckan import release, release_build
from dcor_pkg.ckan.known_issues import registry
from dcor_pkg.ckan.known_issues.issue import State
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.machine import disk
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CURRENT, PACKAGED_CKAN
from tests.unit.fake_programs import faults

PUBLIC, PROGRAM = Access(0o644), Access(0o755)
ID = "2.11.6-abc"
HOME = release.directory(ID)
UNFINISHED = release.directory(f".{ID}")
SITE = "lib/python3.11/site-packages"
MAGIC = "a70d0d0a"
HEADS = "4a5e3465beb6\ntracking 6313f7679d5f\n"
#: python-ckan's tree on a server on which AdminCommands has put its links
TREE = {
    "pyvenv.cfg": f"version = 3.11.2\ncommand = /usr/bin/python3 -m venv {PACKAGED_CKAN}\n",
    "bin/activate.distrib": f"VIRTUAL_ENV={PACKAGED_CKAN}\n",
    "bin/ckan.distrib": f"#!{PACKAGED_CKAN}/bin/python\n",
    "bin/compiled": "\0ELF" + PACKAGED_CKAN,
    **{f"{SITE}/{file}": text for file, text in faults.OF_CKAN.items()},
    f"{SITE}/ckan/i18n/en_US/ckan.po": "",
    f"{SITE}/certifi/cacert.pem": "",
    **{f"{SITE}/{file}": "class Command: ..." for file in release_build.PIP_COMMANDS},
}


class Packages:
    """Stands for the programs that make a release, over the files of a test's machine."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.states = "python-ckan installed\ndcor-wheels installed\n"
        self.calls: list[tuple[str, ...]] = []
        self.fails = ""
        #: which .pth files fail
        self.pth = "[]"

    def run(self, *argv: str, **_: Any) -> str:
        """Do what a program does, as far as a release is concerned."""
        self.calls.append(argv)
        if self.fails and self.fails in argv:
            raise CommandFailed(argv, 1, "No space left on device")
        if argv[0] == "cp":
            shutil.copytree(self.host.path(argv[-2]), self.host.path(argv[-1]), symlinks=True, copy_function=os.link)
        if "pip" in argv:
            self.host.write(f"{UNFINISHED}/bin/dcor", f"#!{UNFINISHED}/bin/python\n", PROGRAM)
            for file, text in faults.OF_WHEELS.items():
                self.host.write(f"{UNFINISHED}/{SITE}/{file}", text, PUBLIC)
        answers = {
            "dpkg-query": self.states,
            release_build.MAGIC: MAGIC,
            "head": HEADS,
            "dcor_runtime.pth_files": self.pth,
        }
        return answers.get(argv[-1], answers.get(argv[0], ""))


@pytest.fixture
def packages(host: Host, monkeypatch: pytest.MonkeyPatch) -> Packages:
    """Return a machine's packages and programs."""
    for name, text in TREE.items():
        host.write(f"{PACKAGED_CKAN}/{name}", text, PROGRAM)
    for name in ("activate", "ckan", "dcor"):
        host.link(f"{PACKAGED_CKAN}/bin/{name}", f"{CURRENT}/bin/{name}")
    host.write(release_build.BYTECODE_MAGIC, MAGIC, PUBLIC)
    host.write("/usr/bin/python3.11", "", PROGRAM)
    host.make_directory("/run", Access(0o755))
    packages = Packages(host)
    monkeypatch.setattr(Host, "run", lambda _, *argv, **options: packages.run(*argv, **options))
    monkeypatch.setattr(disk, "free", lambda host, path: 10 * disk.GIB)
    return packages


def test_a_release_is_complete_cured_and_knows_its_own_place(host: Host, packages: Packages) -> None:
    ReleaseMade(ID).apply(host)
    assert ReleaseMade(ID).check(host) is None
    assert host.names(release.DIRECTORY) == [ID]
    assert registry.in_state(host, f"{HOME}/{SITE}", State.GONE) == list(registry.ISSUES)
    assert host.read(f"{HOME}/bin/activate") == f"VIRTUAL_ENV={HOME}\n{release_build.ACTIVATED}"
    assert host.read(f"{HOME}/libexec/ckan") == host.read(f"{HOME}/libexec/dcor") == f"#!{HOME}/bin/python\n"
    assert host.read(f"{HOME}/pyvenv.cfg") == f"version = 3.11.2\ncommand = /usr/bin/python3 -m venv {HOME}\n"
    assert host.read(f"{HOME}/bin/compiled") == TREE["bin/compiled"]
    assert host.read(f"{HOME}/{release.SCHEMA}") == HEADS
    assert host.target(f"{HOME}/{release.LICENCES}") == f"./{SITE}/ckanext/dcor_schemas/licenses.json"
    assert host.read(f"{HOME}/{SITE}/dcor-server.pth") == "import dcor_runtime.startup\n"


def test_a_release_runs_with_the_python_that_it_was_made_with_whatever_python3_is(
    host: Host, packages: Packages
) -> None:
    """After an upgrade of Debian python3 is another one, and the former one stays as long as something needs it."""
    host.link("/usr/bin/python3", "python3.13")
    release_build.make(host, ID)
    assert host.target(f"{HOME}/bin/python3") == "/usr/bin/python3.11"


def test_modules_that_another_python_has_left_are_not_used(host: Host, packages: Packages) -> None:
    host.write(f"{PACKAGED_CKAN}/lib/python3.9/site-packages/own.py", "", PUBLIC)
    release_build.make(host, ID)
    assert release.site_packages(host, HOME) == f"{HOME}/{SITE}"


def test_without_its_python_no_release_is_made(host: Host, packages: Packages) -> None:
    host.remove("/usr/bin/python3.11")
    with pytest.raises(DcorError, match=r"^/usr/bin/python3\.11 is missing") as failed:
        release_build.make(host, ID)
    assert (failed.value.hint, host.names(release.DIRECTORY)) == ("apt install python3.11", [])


def test_a_release_has_the_modules_templates_and_translations_of_the_runtime(host: Host, packages: Packages) -> None:
    release_build.make(host, ID)
    site = host.path(f"{HOME}/{SITE}")
    written = {str(file.relative_to(site / "dcor_runtime")) for file in (site / "dcor_runtime").rglob("*.*")}
    assert {"wsgi.py", "templates/imprint.html", "templates/admin/config.html", "i18n/de.po"} <= written


def test_ckan_finds_the_plugins_of_the_runtime(host: Host, packages: Packages) -> None:
    release_build.make(host, ID)
    site = str(host.path(f"{HOME}/{SITE}"))
    (found,) = metadata.distributions(name="dcor-runtime", path=[site])
    assert found.version == "1"
    for plugin in found.entry_points:
        module = plugin.value.partition(":")[0].replace("dcor_runtime", "dcor_pkg/runtime").replace(".", "/")
        assert (release_build.RUNTIME.parent.parent / f"{module}.py").is_file()
        assert (plugin.group, plugin.name) in {("ckan.plugins", name) for name in own_plugins()}


def own_plugins() -> set[str]:
    """Return those of our plugins that ckan.ini enables."""
    text = (release_build.RUNTIME.parent / "ckan/templates/ckan.ini").read_text(encoding="utf-8")
    return {name for name in text.partition("ckan.plugins = ")[2].partition("\n")[0].split() if "dcor_server" in name}


def test_upstreams_commands_are_guarded(host: Host, packages: Packages) -> None:
    release_build.make(host, ID)
    for name in ("ckan", "dcor"):
        assert host.read(f"{HOME}/bin/{name}") == release_build.GUARD.read_text()
        assert host.access(f"{HOME}/bin/{name}") == PROGRAM


def test_pip_changes_no_release_and_is_found_beside_upstreams_program(host: Host, packages: Packages) -> None:
    release_build.make(host, ID)
    for name in release_build.PIP_COMMANDS:
        assert host.read(f"{HOME}/{SITE}/{name}") == release_build.PIP_REFUSED.read_text()
    assert host.target(f"{HOME}/libexec/pip") == "../bin/pip"


def test_the_packages_own_files_stay_as_they_are(host: Host, packages: Packages) -> None:
    release_build.make(host, ID)
    assert {name: host.read(f"{PACKAGED_CKAN}/{name}") for name in TREE} == TREE
    assert host.target(f"{PACKAGED_CKAN}/bin/dcor") == f"{CURRENT}/bin/dcor"


def test_what_the_theme_rewrites_in_place_is_not_shared_with_the_package(host: Host, packages: Packages) -> None:
    file = f"{SITE}/ckan/i18n/en_US/ckan.po"
    release_build.make(host, ID)
    copied = [argv for argv in packages.calls if argv[0] == "cp"][1]
    assert copied[-2:] == (f"{UNFINISHED}/{SITE}/ckan/i18n/en_US", f"{UNFINISHED}/{SITE}/ckan/i18n/en_US.own")
    assert host.exists(f"{HOME}/{file}")
    assert not host.exists(f"{HOME}/{SITE}/ckan/i18n/en_US.own")


@pytest.mark.parametrize(("magic", "whole"), [(MAGIC, False), ("other", True)])
def test_packed_bytecode_is_used_for_the_python_that_it_is_for(
    host: Host, packages: Packages, magic: str, whole: bool
) -> None:
    host.write(release_build.BYTECODE_MAGIC, magic, PUBLIC)
    release_build.make(host, ID)
    (compiled,) = (argv for argv in packages.calls if "compileall" in argv)
    assert any(argv[0] == "tar" for argv in packages.calls) is not whole
    site = f"{UNFINISHED}/{SITE}"
    compiled_anew = ("dcor_runtime", *release_build.PIP_COMMANDS, *faults.FAULTY)
    places = compiled[compiled.index("--invalidation-mode=unchecked-hash") + 1 :]
    assert set(places) == ({site} if whole else {f"{site}/{name}" for name in compiled_anew})


@pytest.mark.parametrize("program", ["pip", "dcor_runtime.theme", "sync"])
def test_nothing_remains_of_a_release_that_cannot_be_made(host: Host, packages: Packages, program: str) -> None:
    packages.fails = program
    with pytest.raises(CommandFailed):
        release_build.make(host, ID)
    assert host.names(release.DIRECTORY) == []


def test_a_release_needs_space(host: Host, packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free", lambda host, path: disk.GIB)
    with pytest.raises(DcorError, match="3072 MiB are needed"):
        release_build.make(host, ID)


@pytest.mark.parametrize("state", ["installed", "unpacked", "half-configured", "triggers-pending"])
def test_only_unpacked_packages_are_used(host: Host, packages: Packages, state: str) -> None:
    packages.states = f"dcor-wheels installed\npython-ckan {state}\n"
    release_build.require_unpacked_packages(host)
    packages.states = f"dcor-wheels half-installed\npython-ckan {state}\n"
    with pytest.raises(DcorError, match="dcor-wheels is being unpacked"):
        release_build.require_unpacked_packages(host)
    packages.states = f"dcor-wheels {state}\npython-ckan installed\n"
    release_build.require_unpacked_packages(host)


FAILING = '[{"file": "gone.pth", "line": 1, "kind": "left over", "about": "gone"}]'


def test_a_release_is_made_without_a_pth_file_that_fails(host: Host, packages: Packages) -> None:
    for name in ("gone.pth", "other.pth"):
        host.write(f"{PACKAGED_CKAN}/{SITE}/{name}", "import gone\n", PUBLIC)
    packages.pth = FAILING
    release_build.make(host, ID)
    assert not host.exists(f"{HOME}/{SITE}/gone.pth")
    assert host.exists(f"{HOME}/{SITE}/other.pth")
    assert host.exists(f"{PACKAGED_CKAN}/{SITE}/gone.pth")


def test_a_release_whose_own_pth_file_fails_is_not_made(host: Host, packages: Packages) -> None:
    packages.pth = FAILING.replace("gone.pth", release_build.STARTUP[0])
    with pytest.raises(DcorError, match="gone is not there: it is left of a package that was uninstalled"):
        release_build.make(host, ID)
    assert host.names(release.DIRECTORY) == []
