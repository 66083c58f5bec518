"""Publish datasets of measurements, and print as JSON the paths of their objects in the store, by resource.

Ends when a guest can read all of them: each file, its condensed version and its preview.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import dcor_client
from dcor_client import Server, Uploaded

KINDS = ("resource", "condensed", "preview")


def main() -> None:
    """Upload the datasets, then wait for the background jobs of all of them."""
    parser = dcor_client.arguments(__doc__)
    parser.add_argument("--files", type=int, nargs="+", required=True, help="how many measurements of each dataset")
    args = parser.parse_args()
    server = dcor_client.server_of(args)
    files = [path for name, path in dcor_client.measurements(args.wheels).items() if "large" not in name]
    uploads = [dcor_client.upload(server, files[:n], dcor_client.new_word(), private=False) for n in args.files]
    print(json.dumps([published(server, resources) for resources in uploads], indent=1))


def published(server: Server, resources: list[Uploaded]) -> dict[str, object]:
    """Wait until guests can read all objects of a dataset, and return their paths."""
    return {
        "dataset": resources[0].dataset,
        "resources": {resource.id: objects(server, resource) for resource in resources},
    }


def objects(server: Server, resource: Uploaded) -> list[str]:
    """Wait until guests can read the objects of a resource, and return their paths."""
    path = urlsplit(str(dcor_client.wait_for_metadata(server, resource)["s3_url"])).path
    paths = [path.replace("/resource/", f"/{kind}/") for kind in KINDS]
    guest = Server(server.host)
    for it in paths:
        dcor_client.wait(it, lambda it=it: guest.get(it).status_code == 200 or None)  # type: ignore[misc]
    return paths


if __name__ == "__main__":
    main()
