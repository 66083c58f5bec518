"""A machine in a directory, on which files may have any owner, whoever runs the tests."""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from dcor_dev import tools

# The real module is Debian's, and not installed where tests run; of it only the exception is needed.
sys.modules["debconf"] = types.ModuleType("debconf")
vars(sys.modules["debconf"])["DebconfError"] = type("DebconfError", (Exception,), {})

from dcor_pkg import maintainer
from dcor_pkg.answers import debconf_wire
from dcor_pkg.machine import host as host_module
from dcor_pkg.machine import language
from dcor_pkg.machine.host import Access, Host
from tests.unit import fake_machine, messages
from tests.unit.command_line import CommandLine
from tests.unit.dpkg import Connection, Dpkg
from tests.unit.nginx.nginx_server import NginxServer, opened

# A busy machine is slow, and that is not a fault of the code.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")


#: user and group of what nobody was given
ROOT = ("root", "root")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Return an empty machine. Owners are kept in a table, so tests need not be root; nothing waits for the disk."""
    owners: dict[int, tuple[str, str]] = {}
    held: list[int] = []

    def grant(descriptor: int, access: Access) -> None:
        os.fchmod(descriptor, access.mode)
        owners[os.fstat(descriptor).st_ino] = owner = (access.owner, access.group)
        if owner != ROOT:
            held.append(os.dup(descriptor))  # when it is removed, no other file gets its number, and so its owner

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(host_module, "_grant", grant)
    monkeypatch.setattr(host_module, "_owners", lambda found: owners.get(found.st_ino, ROOT))
    yield Host(root=tmp_path)
    for descriptor in held:
        os.close(descriptor)


@pytest.fixture
def machine(host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_machine.Machine]:
    """Return a fake machine with the packages installed. A call that it does not know fails the test in any case."""
    machine = fake_machine.Machine(host)
    fake_machine.install(machine, monkeypatch)
    yield machine
    assert machine.unknown == []


@pytest.fixture(scope="session")
def german_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory like /usr/share/locale, with the German messages compiled as the package's build does it."""
    tools.need("msgfmt")
    place = tmp_path_factory.mktemp("locale")
    compiled = place / "de/LC_MESSAGES/dcor-server.mo"
    compiled.parent.mkdir(parents=True)
    tools.run("The catalogue is faulty", "msgfmt", "--check", f"--output-file={compiled}", str(messages.CATALOGUE))
    return place


@pytest.fixture
def german(german_catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the terminal be German."""
    monkeypatch.setattr(language, "PLACE", str(german_catalogue))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")


@pytest.fixture
def dcor_server(
    machine: fake_machine.Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Return the command `dcor-server` on the fake machine."""
    return CommandLine(machine, monkeypatch, capsys)


@pytest.fixture
def dpkg(machine: fake_machine.Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dpkg:
    """Return what runs the scripts on a machine whose systemd runs."""
    dpkg = Dpkg(machine, capsys)

    def connect() -> Connection:
        assert dpkg.connection is not None, "debconf must not be asked"
        return dpkg.connection

    monkeypatch.setattr(maintainer, "Host", lambda: machine.host)
    monkeypatch.setattr(debconf_wire, "wire", connect)
    monkeypatch.setattr(os, "umask", lambda mask: mask)
    monkeypatch.delenv("DEBCONF_RECONFIGURE", raising=False)
    monkeypatch.setenv("DPKG_MAINTSCRIPT_PACKAGE", "dcor-server")
    machine.host.make_directory("/run/systemd/system", Access(0o755))
    machine.programs["sh"] = dpkg.run_debhelper
    return dpkg


@pytest.fixture(scope="module")
def running_server() -> Iterator[NginxServer]:
    """Return a real nginx with the package's site, which the tests of a module share."""
    with TemporaryDirectory(prefix="nginx") as directory, opened(Host(root=Path(directory))) as server:
        yield server


@pytest.fixture
def server(running_server: NginxServer) -> NginxServer:
    """Return the running nginx, with stubs that are reset."""
    for backend in (running_server.ckan, running_server.s3, running_server.filer):
        backend.reset()
    return running_server
