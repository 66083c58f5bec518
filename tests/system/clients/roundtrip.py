"""Upload a private measurement and read it back as its owner, or read one that an earlier call has uploaded.

Prints the arguments for reading it again as JSON. Any difference from the uploaded file is an error.
"""

from __future__ import annotations

import json
from pathlib import Path

import dcor_client
from dclab.rtdc_dataset import fmt_dcor
from dcor_client import Server


def main() -> None:
    """Upload unless --read is given, and read."""
    parser = dcor_client.arguments(__doc__)
    parser.add_argument("--read", nargs=2, metavar=("DATASET", "RESOURCE"), help="read an earlier upload")
    args = parser.parse_args()
    server = dcor_client.server_of(args)
    beads = dcor_client.measurements(args.wheels)["calibration_beads_47.rtdc"]
    dataset, resource = args.read or upload(server, beads)
    read(server, beads, dataset, resource)
    found = server.api().get("package_search", q=f"id:{dataset}", include_private="true")
    address = server.api().get("resource_show", id=resource)["s3_url"]
    print(json.dumps({"dataset": dataset, "resource": resource, "s3_url": address, "found": found["count"]}))


def upload(server: Server, beads: Path) -> tuple[str, str]:
    """Upload, and wait for the background jobs; return the ids of dataset and resource."""
    (resource,) = dcor_client.upload(server, [beads], dcor_client.new_word(), private=True)
    dcor_client.wait_for_metadata(server, resource)
    for name in ("preview.jpg", "condensed.rtdc"):
        dcor_client.wait_for_file(server, f"{resource.page}/{name}")
    return resource.dataset, resource.id


def read(server: Server, beads: Path, dataset: str, resource: str) -> None:
    """Download the file like a browser, and open it with dclab, which reads from the object store."""
    page = f"/dataset/{dataset}/resource/{resource}"
    assert server.get(f"{page}/download/{beads.name}").content == beads.read_bytes(), "the download differs"
    url = f"{server.url}/api/3/action/dcserv?id={resource}"
    with fmt_dcor.RTDC_DCOR(url, api_key=server.token) as remote:
        assert abs(float(remote["deform"][0]) - dcor_client.FIRST_DEFORM) < 1e-9
        assert remote["image"][0].shape


if __name__ == "__main__":
    main()
