"""An administrator sees a measurement in a browser."""

from __future__ import annotations

from dcor_dev.machine import Machine
from users import make_user, run_client, upload_measurements


def test_an_administrator_sees_the_preview(server: Machine) -> None:
    """In Chromium, the page of a resource shows the picture and the metadata, and the console is empty."""
    uploaded = upload_measurements(server)
    page = f"/dataset/{uploaded['dataset']}/resource/{uploaded['resources']['calibration_beads_47.rtdc']['id']}"
    admin = make_user(server, "admin", sysadmin=True)
    options = ("--user", admin.name, "--password", admin.password, "--page", page)
    seen = run_client(server, "browser", *options, python="/usr/bin/python3")
    assert seen["preview"]["width"] > 100
    assert seen["console"] == []
