"""Fixtures for machines before and after the installation of a DCOR server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from website import wait_for_page

CLIENTS = Path(__file__).with_name("clients.txt")


@pytest.fixture(scope="session")
def bare(suite: str, debs: list[Path]) -> layers.Stack:
    """Return a minimal Debian with all dependencies of our packages in apt's cache, for machines without a network."""
    return layers.debian_packages(suite, debs)


@pytest.fixture(scope="session")
def package_mounts(debs: list[Path]) -> dict[Path, str]:
    """Return the mounts of our packages: Machine(..., read_only=package_mounts)."""
    return layers.package_mounts(debs)


@pytest.fixture(scope="session")
def unconfigured(suite: str, debs: list[Path]) -> layers.Stack:
    """Return a machine, powered off, on which only dcor-server is not configured, because its answers were invalid."""
    return layers.unconfigured(suite, debs)


@pytest.fixture(scope="session")
def installed(suite: str, debs: list[Path]) -> layers.Stack:
    """Return a machine, powered off, with our packages installed, and with the users' programs."""
    return (*layers.installed(suite, debs), layers.clients(suite, CLIENTS))


@pytest.fixture(scope="session")
def server(suite: str, debs: list[Path], package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server that tests share: they create users and data of their own, and do not change settings."""
    stack = (*layers.with_browser(suite, debs), layers.clients(suite, CLIENTS))
    with Machine("server", stack, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine
