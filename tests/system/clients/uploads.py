"""Upload measurements with DCOR-Aid's library, one dataset after the other, until there is the file `--until`.

Ends when the background jobs of all uploads are done; each file is read back and compared. Prints how many there were.
"""

from __future__ import annotations

import json
from pathlib import Path

import dcor_client
from dcor_client import Server, Uploaded


def main() -> None:
    """Upload at least one dataset."""
    parser = dcor_client.arguments(__doc__)
    parser.add_argument("--until", type=Path, required=True, help="a file whose existence ends it")
    args = parser.parse_args()
    server = dcor_client.server_of(args)
    files = list(dcor_client.measurements(args.wheels).values())
    uploads: list[list[Uploaded]] = []
    while not uploads or not args.until.exists():
        uploads.append(dcor_client.upload(server, files, dcor_client.new_word(), private=False))
    for resources in uploads:
        for resource in resources:
            assert_whole(server, resource)
    print(json.dumps({"datasets": len(uploads), "files": sum(map(len, uploads))}))


def assert_whole(server: Server, resource: Uploaded) -> None:
    """Wait for the jobs of a file, and assert that it can be read as it was uploaded."""
    metadata = dcor_client.wait_for_metadata(server, resource)
    assert metadata["etag"] == resource.etag, f"{resource.name}: etag {metadata['etag']}"
    for name in ("preview.jpg", "condensed.rtdc"):
        dcor_client.wait_for_file(server, f"{resource.page}/{name}")
    found = server.get(f"{resource.page}/download/{resource.name}")
    assert found.content == resource.path.read_bytes(), f"{resource.name} differs"


if __name__ == "__main__":
    main()
