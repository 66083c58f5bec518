"""Checkouts take the place of tested distributions in a release; what could not work is refused before any change."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.ckan import checkouts, release, release_build, release_checkouts, release_id
from dcor_pkg.ckan.readable_checkouts import GIVEN, NoFormerCheckouts, ReadableCheckouts
from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine import facts, state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CHECKOUTS
from tests.unit.fake_machine import PUBLIC, Machine
from tests.unit.kernel.damages import CHECKOUT, DEVELOPED, LOCAL, converged, make_checkout, plan

OF_DEV = Access(0o644, "dev", "dev")
OTHER = "/srv/dev/other"
TABLE = '[project]\nname = "{name}"\n[project.entry-points."ckan.plugins"]\n{entry}\n'


def directory(host: Host, path: str, **files: str) -> None:
    for place in (str(Path(path).parent), path):
        host.make_directory(place, Access(0o755, "dev", "dev"))
    for name, text in files.items():
        host.write(f"{path}/{name.replace('_', '.')}", text, OF_DEV)


def refused(host: Host, answer: str) -> InvalidAnswer:
    with pytest.raises(InvalidAnswer) as error:
        checkouts.check(host, Proposal(None, settings.parse({**LOCAL, "develop": answer}), {}))
    return error.value


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("relative", "contains a word that is not an absolute path"),
        ("/srv/../etc", 'contains a word that contains ".." (the parent directory)'),
        ("/srv/a;b", "contains a word that contains characters other than A-Z, a-z, 0-9, . _ - and /"),
        ("/srv/a /srv//a/", "names a path twice"),
    ],
)
def test_a_word_that_is_no_path_is_invalid(answer: str, problem: str) -> None:
    with pytest.raises(InvalidAnswer) as error:
        settings.parse({**LOCAL, "develop": answer})
    assert error.value.problem == problem


@pytest.mark.parametrize("path", ["/tmp/checkout", "/home/dev/checkout", "/root/checkout", "/var/tmp"])
def test_a_place_that_ckan_does_not_see_is_refused(host: Host, path: str) -> None:
    assert refused(host, path).problem.startswith("CKAN, which is confined, does not see /")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "has no pyproject.toml and no setup.cfg"),
        ({"setup_py": ""}, "has only a setup.py"),
        ({"pyproject_toml": "[project"}, "pyproject.toml cannot be read: "),
        ({"pyproject_toml": "[project]\n"}, "the name of its distribution is ''"),
        ({"pyproject_toml": '[project]\nname = "../x"\n'}, "the name of its distribution is '../x'"),
        ({"pyproject_toml": '[project]\nname = "CKAN"\n'}, "is ckan, which a release takes from its package only"),
        ({"pyproject_toml": TABLE.format(name="x", entry='x = "a:b\\n[y]"')}, "has an entry point that is not valid"),
        ({"setup_cfg": "no section\n"}, "setup.cfg cannot be read: "),
    ],
)
def test_what_is_no_checkout_is_refused(host: Host, files: dict[str, str], problem: str) -> None:
    directory(host, OTHER, **files)
    assert problem in refused(host, OTHER).problem


def test_what_is_no_directory_or_can_be_exchanged_is_refused(host: Host) -> None:
    assert refused(host, OTHER).problem == f"{OTHER} is not a directory."
    directory(host, OTHER, pyproject_toml=TABLE.format(name="x", entry=""))
    host.link("/srv/link", "dev")
    assert "/srv/link is a link to dev" in refused(host, "/srv/link/other").problem
    host.make_directory("/srv/dev", Access(0o755, "mallory", "mallory"))
    assert "/srv/dev belongs to mallory" in refused(host, OTHER).problem
    host.make_directory("/srv/dev", Access(0o1777))
    assert "may be changed by other users" in refused(host, OTHER).problem


def test_two_checkouts_of_one_distribution_are_refused(machine: Machine) -> None:
    make_checkout(machine)
    directory(machine.host, OTHER, pyproject_toml=TABLE.format(name="CKANext_mine", entry=""))
    assert refused(machine.host, f"{CHECKOUT} {OTHER}").problem == f"{OTHER} and {CHECKOUT} are both ckanext-mine."


def test_a_setup_cfg_says_what_a_checkout_is(host: Host) -> None:
    text = "[metadata]\nname = ckanext_x\nversion = 1.2\n[options.entry_points]\nckan.plugins =\n    x = ckanext.x:X\n"
    directory(host, OTHER, setup_cfg=text)
    host.make_directory(f"{OTHER}/src", OF_DEV)
    found = checkouts.read(host, OTHER)
    assert (found.name, found.version, found.root) == ("ckanext-x", "1.2", f"{OTHER}/src")
    assert found.entry_points == "[ckan.plugins]\nx = ckanext.x:X\n"


def test_it_takes_the_place_of_the_tested_distribution(host: Host, tmp_path: Path) -> None:
    site = "/site"
    directory(host, OTHER, pyproject_toml=TABLE.format(name="ckanext-dc_view", entry='dc_view = "ckanext.dc_view:V"'))
    files = ("ckanext/dc_view/plugin.py", "ckanext/dc_view/__pycache__/plugin.pyc", "ckanext/dc_serve/plugin.py")
    for name in (*files, "ckanext_dc_view-1.0.2-nspkg.pth", "ckanext_dc_view-1.0.2.dist-info/METADATA"):
        host.write(f"{site}/{name}", "", PUBLIC)
    record = (
        files[0],
        "ckanext_dc_view-1.0.2-nspkg.pth",
        "../../../bin/dcor",
        "ckanext_dc_view-1.0.2.dist-info/RECORD",
    )
    text = "".join(f"{name},,\n" for name in record)
    host.write(f"{site}/ckanext_dc_view-1.0.2.dist-info/RECORD", text, PUBLIC)
    release_checkouts.add(host, "/", site, checkouts.read_all(host, (OTHER,)))
    assert host.names(f"{site}/ckanext") == ["dc_serve"]
    assert host.names(site) == ["ckanext", "ckanext_dc_view-1.0.2+develop.dist-info", "dcor_runtime"]
    (found,) = metadata.distributions(path=[str(tmp_path / "site")])
    assert (found.metadata["Name"], found.version) == ("ckanext-dc-view", "1.0.2+develop")
    assert [(point.group, point.value) for point in found.entry_points] == [("ckan.plugins", "ckanext.dc_view:V")]


#: starts as a Python of a release does, and imports from a checkout
IMPORTED = """
import sys, types
for name, path in (("dcor_runtime", sys.argv[1]), ("ckanext", "/nowhere")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
sys.modules["dcor_runtime"].REGION = ""
from dcor_runtime import startup
startup.add_checkouts(sys.argv[2])
import ckanext.mine
print(ckanext.mine.WORD, ckanext.__path__, sys.path[-1])
"""


def test_python_imports_from_the_checkout_also_where_that_has_a_package_ckanext(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    (root / "ckanext/mine").mkdir(parents=True)
    (root / "ckanext/__init__.py").write_text("raise RuntimeError\n")
    (root / "ckanext/mine/__init__.py").write_text("WORD = 'found'\n")
    (tmp_path / "checkouts.json").write_text(json.dumps([{"root": str(root)}]))
    argv = [sys.executable, "-I", "-c", IMPORTED, str(release_build.RUNTIME), str(tmp_path / "checkouts.json")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == f"found {['/nowhere', f'{root}/ckanext']} {root}\n"


def test_a_release_with_checkouts_is_another_one_and_goes_with_the_setting(machine: Machine) -> None:
    make_checkout(machine)
    converged(machine, plan(machine, LOCAL))
    (former,) = release.ids(machine.host)
    converged(machine, plan(machine, DEVELOPED))
    active = release.active(machine.host) or ""
    assert active == release_id.wanted(facts.read(machine.host), (CHECKOUT,)) != former
    site = release.site_packages(machine.host, release.directory(active))
    assert CHECKOUT in (machine.host.read(f"{site}/{release_checkouts.LIST}") or "")
    assert CHECKOUT in (machine.host.read(CHECKOUTS) or "")
    converged(machine, plan(machine, LOCAL))
    assert (release.active(machine.host), machine.host.exists(CHECKOUTS)) == (former, False)


def test_other_entry_points_make_the_release_anew(machine: Machine) -> None:
    make_checkout(machine)
    converged(machine, plan(machine, DEVELOPED))
    steps = plan(machine, DEVELOPED)
    text = TABLE.format(name="ckanext-mine", entry='other = "ckanext.mine:Other"')
    machine.host.write(f"{CHECKOUT}/pyproject.toml", text, OF_DEV)
    (step,) = (step for step in steps if step.name == "release")
    assert "has another name or other entry points of a checkout" in (step.check(machine.host) or "")
    converged(machine, steps)


def test_what_is_given_is_given_by_its_owner_and_taken_back(machine: Machine) -> None:
    make_checkout(machine)
    machine.host.make_directory("/srv", Access(0o700))
    machine.files.closed += ["/srv", "/srv/dev", CHECKOUT]
    step = ReadableCheckouts((CHECKOUT,))
    assert step.check(machine.host) == "www-data cannot read /srv"
    converged(machine, (step,))
    assert machine.files.asked == [("root", "pass", "/srv"), ("dev", "pass", "/srv/dev"), ("dev", "give", CHECKOUT)]
    machine.files.asked.clear()
    converged(machine, (NoFormerCheckouts(()),))
    assert machine.files.asked == [
        ("dev", "take", CHECKOUT, "tree"),
        ("dev", "take", "/srv/dev"),
        ("root", "take", "/srv"),
    ]
    assert not machine.host.exists(GIVEN)


def test_what_another_checkout_needs_stays(machine: Machine) -> None:
    make_checkout(machine)
    directory(machine.host, OTHER, pyproject_toml=TABLE.format(name="x", entry=""))
    way, mine = ["dev", "/srv/dev", ""], ["dev", CHECKOUT, "tree"]
    state_file.write(machine.host, GIVEN, {CHECKOUT: [way, mine], OTHER: [way]})
    converged(machine, (NoFormerCheckouts((OTHER,)),))
    assert machine.files.asked == [("dev", "take", CHECKOUT, "tree")]


def test_a_file_system_without_lists_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    make_checkout(machine)
    machine.files.closed.append(CHECKOUT)
    step = ReadableCheckouts((CHECKOUT,))

    def fail(call: object) -> str:
        raise CommandFailed(("python3",), 1, "The file system has no access control lists.")

    answer = machine.files.checkout_access
    monkeypatch.setattr(
        machine.files, "checkout_access", lambda call: answer(call) if "examine" in call.argv else fail(call)
    )
    with pytest.raises(DcorError, match=f"www-data cannot be given {CHECKOUT}: The file system has no access"):
        step.apply(machine.host)
