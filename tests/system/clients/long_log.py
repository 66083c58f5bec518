"""Upload a measurement that has a log of many lines, and print its id as JSON."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import dclab
import dcor_client
import numpy as np

METADATA = {
    "experiment": {"sample": "log", "run index": 1, "date": "2026-01-01", "time": "10:00:00"},
    "imaging": dict.fromkeys(
        ("pixel size", "flash duration", "frame rate", "roi position x", "roi position y", "roi size x", "roi size y"),
        1,
    ),
    "setup": {"channel width": 20, "chip region": "channel", "flow rate": 0.04, "medium": "CellCarrier"},
}


def main() -> None:
    """Write the file, upload it publicly, and wait for its metadata."""
    parser = dcor_client.arguments(__doc__)
    parser.add_argument("--lines", type=int, required=True)
    args = parser.parse_args()
    server = dcor_client.server_of(args)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "long_log.rtdc"
        _write(file, args.lines)
        (resource,) = dcor_client.upload(server, [file], "A long log", private=False)
    dcor_client.wait_for_metadata(server, resource)
    print(json.dumps({"id": resource.id}))


def _write(file: Path, lines: int) -> None:
    with dclab.RTDCWriter(file, mode="reset") as writer:
        writer.store_metadata(METADATA)
        for feature in ("deform", "area_um"):
            writer.store_feature(feature, np.linspace(0.01, 1, 50))
        writer.store_log("long", [f"line {number} of a log that is long" for number in range(lines)])


if __name__ == "__main__":
    main()
