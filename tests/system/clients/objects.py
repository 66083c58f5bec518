"""Print a checksum of each object in the store as JSON: `objects.py HOST --certificate FILE --configuration CKAN.INI`.

It reads them over https as CKAN does, with the keys of its configuration, so it runs as root on the server.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import json
from pathlib import Path
from typing import Any

import boto3

PREFIX, CIRCLE = "dcor_object_store.", "circle-"


def main() -> None:
    """Read all objects of all circles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", help="host name of the server")
    parser.add_argument("--certificate", required=True, help="PEM file that this Python does not trust yet")
    parser.add_argument("--configuration", type=Path, required=True, help="CKAN's configuration")
    args = parser.parse_args()
    store = client(f"https://{args.host}", args.certificate, args.configuration)
    found = {
        f"{bucket}/{key}": checksum(store, bucket, key) for bucket in buckets(store) for key in keys(store, bucket)
    }
    print(json.dumps(found, indent=1))


def client(address: str, certificate: str, configuration: Path) -> Any:
    """Return a client of the store with CKAN's keys."""
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(configuration.read_text())
    options = {name: value.replace("%%", "%") for name, value in parser["app:main"].items()}
    login = {
        "aws_access_key_id": options[f"{PREFIX}access_key_id"],
        "aws_secret_access_key": options[f"{PREFIX}secret_access_key"],
    }
    return boto3.client("s3", endpoint_url=address, region_name="dcor", verify=certificate, **login)


def buckets(store: Any) -> list[str]:
    """Return the names of the buckets of circles; nginx gives no others, and they are empty."""
    return [it["Name"] for it in store.list_buckets()["Buckets"] if it["Name"].startswith(CIRCLE)]


def keys(store: Any, bucket: str) -> list[str]:
    """Return the keys of all objects of a bucket."""
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [it["Key"] for page in pages for it in page.get("Contents", ())]


def checksum(store: Any, bucket: str, key: str) -> str:
    """Return the sha256 of an object's data."""
    return hashlib.sha256(store.get_object(Bucket=bucket, Key=key)["Body"].read()).hexdigest()


if __name__ == "__main__":
    main()
