"""Measurements can be uploaded with DCOR-Aid's library, and read with DCOR-Aid, dclab and the search."""

from __future__ import annotations

from dcor_dev.machine import Machine
from users import upload_measurements


def test_measurements_can_be_uploaded_read_and_found(server: Machine) -> None:
    """An ordinary user creates a circle and a dataset, uploads in one and in several parts, activates, and reads.

    The program compares all results with the uploaded files; this test checks that it does not leave out a part.
    """
    seen = upload_measurements(server)
    assert seen["parts"] == {"calibration_beads_47.rtdc": 1, "cytoshot_blood.rtdc": 1, "cytoshot_blood_large.rtdc": 3}
    beads = seen["resources"]["calibration_beads_47.rtdc"]
    assert beads["dclab"]["deform[0]"] == 0.011666297
    assert [resource["format"] for resource in seen["resources"].values()] == ["RT-FDC", "RT-DC", "RT-DC"]
    assert len(seen["found"]) == 3
    assert server.failed_units() == []
