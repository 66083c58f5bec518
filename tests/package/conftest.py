"""Unpack each built package once; provide a repository, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from apt_client import Client, client, web_server
from deb import Deb, unpack
from publisher import Publisher


@pytest.fixture(scope="session")
def content(debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Deb]:
    """Return all our packages by name."""
    target = tmp_path_factory.mktemp("content")
    found = [unpack(path, target) for path in debs]
    return {deb.name: deb for deb in found}


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


@pytest.fixture
def machines(publisher: Publisher, tmp_path: Path) -> Iterator[Callable[[bytes], Client]]:
    """Return a function that makes clients of the repository, by http, which trust these keys."""
    publisher.apt.mkdir()
    with web_server(publisher.apt) as address:
        made: list[Client] = []

        def make(keys: bytes) -> Client:
            made.append(client(tmp_path / f"client-{len(made)}", address, keys))
            return made[-1]

        yield make


@pytest.fixture
def machine(machines: Callable[[bytes], Client], publisher: Publisher) -> Client:
    """Return a client that has the test key."""
    return machines(publisher.public())
