"""Upload a measurement of a gibibyte with DCOR-Aid's library; or print an address to which a file can be uploaded.

All that is made on the way is in `--directory`, since /tmp may be too small. Ends when the background jobs are done.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path

import dcor_client
from dcor_client import GIBIBYTE, Server


def main() -> None:
    """Upload a file, or only ask where to."""
    parser = dcor_client.arguments(__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="an existing directory with room for the file")
    parser.add_argument("--address", action="store_true", help="only ask for an address, in a new circle")
    args = parser.parse_args()
    tempfile.tempdir = str(args.directory)
    server = dcor_client.server_of(args)
    print(json.dumps(address(server) if args.address else uploaded(server, args.wheels)))


def address(server: Server) -> dict[str, str]:
    """Make a circle, and return its id with an address for one part of a file in it."""
    api = server.api()
    circle = api.post("organization_create", {"name": f"circle-of-{secrets.token_hex(4)}"})["id"]
    found = api.get("resource_upload_s3_urls", organization_id=circle, file_size=GIBIBYTE)
    (put,) = found["upload_urls"]
    return {"circle": circle, "address": put}


def uploaded(server: Server, wheels: Path) -> dict[str, object]:
    """Upload a measurement with zeros at its end, which HDF5 ignores, and return what the jobs have made of it."""
    file = dcor_client.measurements(wheels)["cytoshot_blood.rtdc"]
    os.truncate(file, GIBIBYTE)
    (resource,) = dcor_client.upload(server, [file], dcor_client.new_word(), private=False)
    metadata = dcor_client.wait_for_metadata(server, resource)
    assert metadata["etag"] == resource.etag, f"{resource.name}: etag {metadata['etag']}"
    made = {
        name: dcor_client.wait_for_file(server, f"{resource.page}/{name}") for name in ("preview.jpg", "condensed.rtdc")
    }
    return {"size": metadata["size"], "made": {name: len(answer.content) for name, answer in made.items()}}


if __name__ == "__main__":
    main()
