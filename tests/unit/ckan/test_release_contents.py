"""What changes in a release is named; what is only read, or compiled, is not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from dcor_pkg.ckan import release, release_contents
from dcor_pkg.machine.host import Access, Host

PUBLIC = Access(0o644)
HOME = "/release"


@pytest.fixture
def home(host: Host, monkeypatch: pytest.MonkeyPatch) -> Host:
    """Return a machine with a release, and the real find(1)."""

    def run(_: Host, program: str, directory: str, *options: str, **__: Any) -> str:
        argv = (
            program,
            str(host.path(directory)),
            *(option.replace(HOME, str(host.path(HOME)), 1) for option in options),
        )
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    monkeypatch.setattr(Host, "run", run)
    for name in ("ckan/app.py", "ckan/mail.py", "bin/ckan"):
        host.write(f"{HOME}/{name}", name, PUBLIC)
    host.link(f"{HOME}/bin/python", "/usr/bin/python3")
    release_contents.record(host, HOME)
    return host


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda host: host.path(f"{HOME}/ckan/app.py").write_text(""), "has changed its file ckan/app.py"),
        (lambda host: os.utime(host.path(f"{HOME}/ckan/app.py"), (1, 1)), "has changed its file ckan/app.py"),
        (lambda host: host.path(f"{HOME}/bin/ckan").chmod(0o666), "has changed its file bin/ckan"),
        (lambda host: host.link(f"{HOME}/bin/python", "/home/anna/python"), "has changed its file bin/python"),
        (lambda host: host.remove(f"{HOME}/ckan/mail.py"), "has lost its file ckan/mail.py"),
        (lambda host: host.write(f"{HOME}/urllib3/__init__.py", "", PUBLIC), "has got the file urllib3/__init__.py"),
        (lambda host: host.remove(f"{HOME}/{release_contents.RECORD}"), "has no record of its files"),
        (lambda host: host.write(f"{HOME}/ckan/__pycache__/app.cpython-311.pyc", "", PUBLIC), None),
        (lambda host: host.write(f"{HOME}/{release.SCHEMA}", "4a5e3465beb6\n", PUBLIC), None),
        (lambda host: host.read(f"{HOME}/ckan/app.py"), None),
    ],
)
def test_a_change_is_named(home: Host, change: Callable[[Host], object], found: str | None) -> None:
    assert release_contents.difference(home, HOME) is None
    change(home)
    assert release_contents.difference(home, HOME) == found
