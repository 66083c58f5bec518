"""The scripts that run CKAN's programs: as CKAN's user, in one environment, whichever way they are started."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from dcor_pkg.kernel import templates
from dcor_pkg.machine import paths

PACKAGED = templates.PACKAGE.parent / "conf/ckan/ckan"
GUARD = templates.PACKAGE / "ckan/files/as-ckan"
TERMINAL = templates.PACKAGE / "machine/terminal.py"
#: prints its name, environment and arguments
REPORT = '#!/bin/sh\necho "$0 $CKAN_INI ${PATH%%:*} ${HOME} ${XDG_CONFIG_HOME:-none} $*"\n'
#: print how they are called; what follows `--` is run
SETPRIV = '#!/bin/sh\necho "$1 $2 $3 $4"\nshift 5\nexec "$@"\n'


def program(path: Path, text: str) -> Path:
    """Write a program, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """Return the directory of a server with python-ckan, an active release, and a program setpriv that only reports."""
    program(tmp_path / "default/bin/ckan", REPORT)
    program(tmp_path / "releases/A/libexec/ckan", REPORT)
    ini = tmp_path / "ckan.ini"
    ini.write_text("[app:main]\n")
    program(tmp_path / "releases/A/bin/ckan", GUARD.read_text().replace(paths.CKAN_INI, str(ini)))
    program(tmp_path / "programs/setpriv", SETPRIV)
    program(tmp_path / "releases/A/libexec/terminal.py", TERMINAL.read_text())
    program(tmp_path / "terminal.py", TERMINAL.read_text())
    text = PACKAGED.read_text().replace(paths.PACKAGED_CKAN, f"{tmp_path}/default")
    text = text.replace(str(Path(paths.PACKAGED_CKAN).parent), str(tmp_path))
    program(tmp_path / "usr/bin/ckan", text.replace(paths.STATE, str(tmp_path)))
    return tmp_path


def run(server: Path, command: Path, user: int, **environment: str) -> list[str]:
    """Run a program as a user, by number, and return the lines that it prints."""
    program(server / "programs/id", f"#!/bin/sh\necho {user}\n")
    search = {"PATH": f"{server}/programs:{os.environ['PATH']}", "HOME": "/home/me", **environment}
    done = subprocess.run([command, "list", "a b"], env=search, check=True, capture_output=True, text=True)
    return done.stdout.replace(str(server), "").splitlines()


DROPPED = "--reuid=www-data --regid=www-data --init-groups --inh-caps=-all"
AS_ROOT = "{1} {0}/bin /var/www /var/lib/ckan/config list a b"


def test_without_a_release_it_is_the_packages_own(server: Path) -> None:
    assert run(server, server / "usr/bin/ckan", 0) == [
        DROPPED,
        "/default/bin/ckan " + AS_ROOT.format("/default", paths.CKAN_INI),
    ]


def test_with_a_release_it_is_that_of_the_release_by_its_own_path(server: Path) -> None:
    (server / "current").symlink_to("releases/A")
    expected = [DROPPED, "/releases/A/libexec/ckan " + AS_ROOT.format("/releases/A", "/ckan.ini")]
    assert run(server, server / "usr/bin/ckan", 0) == expected
    assert run(server, server / "current/bin/ckan", 0) == expected


def test_a_user_stays_that_user_and_may_choose_another_configuration(server: Path) -> None:
    (line,) = run(server, server / "usr/bin/ckan", 1000, CKAN_INI="/other.ini")
    assert line == "/default/bin/ckan /other.ini /default/bin /home/me none list a b"
    (line,) = run(server, server / "releases/A/bin/ckan", 1000)
    assert line == "/releases/A/libexec/ckan /ckan.ini /releases/A/bin /home/me none list a b"


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_what_ckan_asks_this_machine_does_not_go_to_a_proxy(server: Path, name: str) -> None:
    (server / "ckan.ini").write_text("[app:main]\nckan.site_url = https://dcor.example.org\nckan.site_title = A\n")
    program(server / "releases/A/libexec/ckan", '#!/bin/sh\necho "$http_proxy $no_proxy $NO_PROXY"\n')
    exceptions = "localhost,127.0.0.1,dcor.example.org,intranet.example.org"
    own = {"http_proxy": "http://proxy.example.org", name: "intranet.example.org"}
    assert run(server, server / "releases/A/bin/ckan", 1000, **own) == [
        f"http://proxy.example.org {exceptions} {exceptions}"
    ]


def test_who_cannot_read_the_configuration_is_told_so_in_one_sentence(server: Path) -> None:
    done = subprocess.run(
        [server / "releases/A/bin/ckan", "list"],
        env={"PATH": os.environ["PATH"], "CKAN_INI": "/no/ckan.ini"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ckan: /no/ckan.ini cannot be read. Run as root: sudo ckan ...\n"


WORDS = {"update": "dcor-wheels: apt upgrade", "develop": "dcor-server set develop=PATH"}


@pytest.mark.parametrize(("command", "refused"), [("update", True), ("develop", True), ("status", False), ("", False)])
def test_what_would_change_a_release_by_pip_is_refused_in_one_sentence(
    server: Path, command: str, refused: bool
) -> None:
    program(server / "releases/A/bin/dcor", (server / "releases/A/bin/ckan").read_text())
    program(server / "releases/A/libexec/dcor", "#!/bin/sh\necho ran\n")
    program(server / "programs/id", "#!/bin/sh\necho 1000\n")
    argv = [str(server / "releases/A/bin/dcor"), *([command] if command else [])]
    search = {"PATH": f"{server}/programs:{os.environ['PATH']}"}
    done = subprocess.run(argv, env=search, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == ((1, "") if refused else (0, "ran\n"))
    assert len(done.stderr.splitlines()) == refused
    assert WORDS.get(command, "") in done.stderr


def test_both_scripts_drop_privileges_by_the_same_lines() -> None:
    packaged, guard = (re.split(r"\nprogram=.*\n", path.read_text())[-1] for path in (PACKAGED, GUARD))
    assert packaged == guard
    assert f"--reuid={paths.CKAN_USER}" in guard
    assert paths.CKAN_INI in guard
    assert f"HOME={paths.CKAN_HOME}" in guard
