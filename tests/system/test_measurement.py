"""A measurement goes in by DCOR-Aid's library and comes out by DCOR-Aid, dclab and the search."""

from __future__ import annotations

from dcor_dev.machine import Machine
from users import upload_measurements


def test_measurements_go_in_and_come_out(server: Machine) -> None:
    """An ordinary user's circle, dataset, uploads in one and in several parts, activation, jobs, reading back.

    The program itself compares each thing with the file that was sent; here stands what must not silently be less.
    """
    seen = upload_measurements(server)
    assert seen["parts"] == {"calibration_beads_47.rtdc": 1, "cytoshot_blood.rtdc": 1, "cytoshot_blood_large.rtdc": 3}
    beads = seen["resources"]["calibration_beads_47.rtdc"]
    assert beads["dclab"]["deform[0]"] == 0.011666297
    assert [resource["format"] for resource in seen["resources"].values()] == ["RT-FDC", "RT-DC", "RT-DC"]
    assert len(seen["found"]) == 3
    assert server.failed_units() == []
