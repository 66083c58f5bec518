"""Upload measurements as an ordinary user, and read them back in each way that users have.

Prints the results as JSON. Any difference from the uploaded files is an error.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import dclab
import dcor_client
from dclab.rtdc_dataset import fmt_dcor
from dcor_client import MEBIBYTE, Server, Uploaded
from dcoraid.common import etagsum
from dcoraid.download.job import DownloadJob

#: Small enough for three parts of the large file; object stores reject parts below 5 MiB.
PART = 6 * MEBIBYTE

EXPECTED_METADATA: dict[str, dict[str, Any]] = {
    "calibration_beads_47.rtdc": {
        "format": "RT-FDC",
        "mimetype": "RT-DC",
        "dc:experiment:sample": "calibration_beads",
        "dc:experiment:event count": 47,
        "dc:setup:channel width": 20.0,
        "dc:setup:medium": "CellCarrierB",
    },
    "cytoshot_blood.rtdc": {
        "format": "RT-DC",
        "mimetype": "RT-DC",
        "dc:experiment:event count": 8,
        "dc:setup:identifier": "RC-mock-mock-mock-mock-lin-4b36",
    },
}
EXPECTED_METADATA["cytoshot_blood_large.rtdc"] = EXPECTED_METADATA["cytoshot_blood.rtdc"]


def main() -> None:
    """Upload, check each file, and search, in the order of a user."""
    args = dcor_client.arguments(__doc__).parse_args()
    server = dcor_client.server_of(args)
    word = dcor_client.new_word()
    started = time.monotonic()
    files = list(dcor_client.measurements(args.wheels).values())
    with dcor_client.part_size(PART):
        resources = dcor_client.upload(server, files, f"Measurement {word}", private=False)
        etags = {path.name: etagsum(path) for path in files}
    uploaded = time.monotonic()
    report: dict[str, Any] = {"dataset": resources[0].dataset, "resources": {}}
    for resource in resources:
        assert resource.etag == etags[resource.name], f"{resource.name}: etag {resource.etag}"
        report["resources"][resource.name] = check_resource(server, resource)
    report["parts"] = {name: int(etag.partition("-")[2] or 1) for name, etag in etags.items()}
    assert sorted(report["parts"].values()) == [1, 1, 3], report["parts"]
    report["found"] = check_search(server, word, resources[0])
    report["seconds"] = {"upload": round(uploaded - started, 1), "all": round(time.monotonic() - started, 1)}
    print(json.dumps(report, indent=1))


def check_resource(server: Server, resource: Uploaded) -> dict[str, Any]:
    """Check the metadata, the derived files and the downloads of a file, and reading with dclab; return the results."""
    metadata = check_metadata(server, resource)
    image = dcor_client.wait_for_file(server, f"{resource.page}/preview.jpg").content
    assert image.startswith(b"\xff\xd8\xff"), f"{resource.name}: the preview is not a JPEG: {image[:16]!r}"
    dcor_client.wait_for_file(server, f"{resource.page}/condensed.rtdc")
    check_downloads(server, resource)
    return {
        "id": resource.id,
        "etag": metadata["etag"],
        "sha256": metadata["sha256"],
        "format": metadata["format"],
        "dc": sum(key.startswith("dc:") for key in metadata),
        "s3_url": metadata["s3_url"],
        "preview": len(image),
        "dclab": check_dclab(server, resource),
    }


def check_metadata(server: Server, resource: Uploaded) -> dict[str, Any]:
    """Compare the metadata that the background jobs have written with the file."""
    metadata = dcor_client.wait_for_metadata(server, resource)
    data = resource.path.read_bytes()
    expected = {
        "etag": resource.etag,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "s3_available": True,
        **EXPECTED_METADATA[resource.name],
    }
    wrong = {key: metadata.get(key) for key, value in expected.items() if metadata.get(key) != value}
    assert not wrong, f"{resource.name}: metadata differ: {wrong}"
    assert metadata["s3_url"].startswith(f"{server.url}/"), metadata["s3_url"]
    return metadata


def check_downloads(server: Server, resource: Uploaded) -> None:
    """Download the file and its condensed version with DCOR-Aid, and open the latter with dclab."""
    directory = Path(tempfile.mkdtemp(prefix="dcor-download-"))
    for condensed in (False, True):
        job = DownloadJob(server.api(), resource.id, directory / f"{condensed}.rtdc", condensed=condensed)
        job.task_download_resource()
        job.task_verify_resource()
        assert job.state == "done", f"{resource.name}: download ended as {job.state}: {job.traceback}"
    assert (directory / "False.rtdc").read_bytes() == resource.path.read_bytes()
    # Without basins: one of them needs the store's credentials, and dclab requests it in another thread.
    alone = dclab.new_dataset(directory / "True.rtdc", enable_basins=False)
    with alone as condensed_file, dclab.new_dataset(resource.path) as original:
        assert condensed_file["deform"][0] == original["deform"][0]
        assert "volume" in condensed_file.features_innate, "the condensed file lacks what condensing computes"


def check_dclab(server: Server, resource: Uploaded) -> dict[str, Any]:
    """Open the resource with dclab, and compare scalars and images, which come from its basins."""
    url = f"{server.url}/api/3/action/dcserv?id={resource.id}"
    with fmt_dcor.RTDC_DCOR(url, api_key=server.token) as remote, dclab.new_dataset(resource.path) as local:
        assert len(remote) == len(local)
        assert (remote["deform"][:] == local["deform"][:]).all()
        assert (remote["image"][1] == local["image"][1]).all()
        basins = {basin.name: bool(basin.is_available()) for basin in remote.basins}
        start = resource.id[:5]
        assert basins == {f"condensed-{start}": True, f"resource-{start}": True}, f"{resource.name}: {basins}"
        assert remote["volume"][0] > 0, "the features of the condensed file are not available"
        deform = float(remote["deform"][0])
    if resource.name == "calibration_beads_47.rtdc":
        assert abs(deform - dcor_client.FIRST_DEFORM) < 1e-9, deform
    return {"deform[0]": round(deform, 9), "basins": sorted(basins)}


def check_search(server: Server, word: str, resource: Uploaded) -> list[str]:
    """Find the dataset by a word of its title and by the hash of one of its files, as a guest."""
    sha256 = hashlib.sha256(resource.path.read_bytes()).hexdigest()
    guest = Server(server.host).api()
    found = []
    for query in ({"q": word}, {"q": f"title:{word}"}, {"fq": f"res_extras_sha256:{sha256}+AND+title:{word}"}):

        def probe(query: dict[str, str] = query) -> bool | None:
            return [item["id"] for item in guest.get("package_search", **query)["results"]] == [
                resource.dataset
            ] or None

        dcor_client.wait(f"search for {query}", probe, 30)
        found.append(str(query))
    return found


if __name__ == "__main__":
    main()
