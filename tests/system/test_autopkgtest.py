"""The tests of the installed package in debian/tests pass, run by autopkgtest in a machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import checkout, layers

from tests.conftest import Boot

pytestmark = pytest.mark.system

TREE = Path(__file__).resolve().parents[2]

#: The directory in the machine where the checkout is mounted.
INSIDE = "/srv/checkout"

#: The last test breaks its testbed, which is allowed: the machine is removed after it.
RUN = ("autopkgtest", "--no-built-binaries", "--ignore-restrictions=breaks-testbed", f"{INSIDE}/", "--", "null")


@pytest.mark.long
def test_autopkgtest_passes_in_a_machine(
    boot: Boot, installed: layers.Stack, package_mounts: dict[Path, str], tmp_path: Path
) -> None:
    checkout.copy(TREE, tmp_path)
    (tmp_path / "debian/files").touch()  # like after a build, so autopkgtest does not build
    machine = boot("autopkgtest", installed, read_only={**package_mounts, tmp_path: INSIDE})
    machine.run(*layers.INSTALL, "--no-install-recommends", *layers.AUTOPKGTEST, env=layers.NONINTERACTIVE)
    done = machine.run(*RUN, check=False)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    results = dict(line.split() for line in output.split("@@@@ summary\n")[1].splitlines())
    assert results == {"install": "PASS", "reconfigure": "PASS", "purge": "PASS"}
