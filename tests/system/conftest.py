"""Machines with a DCOR server on them, or about to get one."""

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
    """Return a bare Debian that has what our packages need of Debian in apt's cache: for machines without a network."""
    return layers.debian_packages(suite, debs)


@pytest.fixture(scope="session")
def package_mounts(debs: list[Path]) -> dict[Path, str]:
    """Return how a machine is shown our packages: Machine(..., read_only=package_mounts)."""
    return layers.package_mounts(debs)


@pytest.fixture(scope="session")
def refused(suite: str, debs: list[Path]) -> layers.Stack:
    """Return a machine, powered off, whose packages are all configured but dcor-server: its answers were refused."""
    return layers.unconfigured(suite, debs)


@pytest.fixture(scope="session")
def installed(suite: str, debs: list[Path]) -> layers.Stack:
    """Return a machine, powered off, on which all of ours was installed; with the clients' programs."""
    return (*layers.installed(suite, debs), layers.clients(suite, CLIENTS))


@pytest.fixture(scope="session")
def server(suite: str, debs: list[Path], package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a running server that tests share: they make users and data of their own, and leave its settings alone."""
    stack = (*layers.with_browser(suite, debs), layers.clients(suite, CLIENTS))
    with Machine("server", stack, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine
