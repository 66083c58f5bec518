"""An administrator sees in the browser what was measured."""

from __future__ import annotations

import pytest
from dcor_dev.machine import Machine
from users import client, measured, person


@pytest.mark.system
def test_an_administrator_sees_the_preview(server: Machine) -> None:
    """Signs in with Chromium, opens the page of a resource: picture loaded, metadata there, console empty."""
    uploaded = measured(server)
    page = f"/dataset/{uploaded['dataset']}/resource/{uploaded['resources']['calibration_beads_47.rtdc']['id']}"
    admin = person(server, "admin", sysadmin=True)
    options = ("--user", admin.name, "--password", admin.password, "--page", page)
    seen = client(server, "browser", *options, python="/usr/bin/python3")
    assert seen["preview"]["width"] > 100
    assert seen["console"] == []
