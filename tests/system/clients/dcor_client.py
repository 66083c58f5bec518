"""Use a DCOR server like its users: upload with DCOR-Aid's library, read with dclab.

This module is shared by the programs in this directory. They run on any computer, in an environment with the packages
of clients.txt, and get only the server's name, its certificate (if they do not trust it yet) and an API token.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import secrets
import string
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import requests
from dcoraid.api import CKANAPI, dataset_create, s3_api
from dcoraid.upload.job import UploadJob

GIBIBYTE = 1024**3
MEBIBYTE = 1024**2

#: The deformation of the first event in calibration_beads_47.rtdc, from the tests of DCOR's extensions.
FIRST_DEFORM = 0.011666297

#: The longest wait for a background job, which takes a second or two on an idle computer.
JOB_TIMEOUT_SECONDS = 180.0

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """A server from the view of a client, which is a guest without a token."""

    host: str
    token: str = ""

    @property
    def url(self) -> str:
        """Return the address, without a slash at its end."""
        return f"https://{self.host}"

    def api(self) -> CKANAPI:
        """Return DCOR-Aid's client of the API, without its cache, since tests wait for changes."""
        return CKANAPI(self.host, api_key=self.token, caching=False)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Get a page or a file with redirects, like a browser or a script."""
        headers = {"Authorization": self.token} if self.token else {}
        return requests.get(self.url + path, headers=headers, timeout=30, **options)


@dataclass(frozen=True)
class Uploaded:
    """An uploaded file, with the etag that DCOR-Aid has computed."""

    name: str
    path: Path
    dataset: str
    id: str
    etag: str

    @property
    def page(self) -> str:
        """Return the path of the resource's page."""
        return f"/dataset/{self.dataset}/resource/{self.id}"


def new_word() -> str:
    """Return a random word for a title, only of letters, since the search splits words at digits."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the arguments of all programs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("host", help="host name of the server, as in its certificate")
    parser.add_argument("--certificate", type=Path, help="PEM file with what this Python does not trust yet")
    parser.add_argument("--token", type=Path, required=True, help="file with the API token of an ordinary user")
    parser.add_argument(
        "--wheels", type=Path, default=Path("/usr/share/dcor-wheels"), help="directory of DCOR's wheels"
    )
    return parser


def server_of(args: argparse.Namespace) -> Server:
    """Return the server of the arguments, and let this Python trust its certificate."""
    if args.certificate is not None:
        trust(args.certificate.read_text())
    return Server(args.host, args.token.read_text().strip())


def trust(certificates: str) -> None:
    """Add certificates to certifi's file, like the script that the server offers: all libraries read that file."""
    bundle = Path(requests.certs.where())
    if certificates not in bundle.read_text():
        with bundle.open("a") as file:
            file.write(certificates)


def measurements(wheels: Path) -> dict[str, Path]:
    """Unpack the two measurements for tests in the wheel of ckanext-dc_serve, and make a larger third one.

    It is one of them with random bytes at its end, which HDF5 ignores, for a multipart upload.
    """
    directory = Path(tempfile.mkdtemp(prefix="dcor-measurements-"))
    (wheel,) = wheels.glob("ckanext_dc_serve-*.whl")
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in ("calibration_beads_47.rtdc", "cytoshot_blood.rtdc"):
            found[name] = directory / name
            found[name].write_bytes(archive.read(f"ckanext/dc_serve/tests/data/{name}"))
    large = directory / "cytoshot_blood_large.rtdc"
    large.write_bytes(found["cytoshot_blood.rtdc"].read_bytes() + random.Random(47).randbytes(16 * MEBIBYTE))
    return {**found, large.name: large}


@contextlib.contextmanager
def part_size(size: int) -> Iterator[None]:
    """Upload files larger than `size` bytes in several parts, to test this without a file of a gibibyte.

    Client and server both use parts of one gibibyte. Here the client uses parts of `size` bytes, and requests from the
    server the addresses for a file with as many gibibytes as there are parts.
    """
    get = CKANAPI.get
    true_parameters = s3_api.compute_upload_part_parameters

    def parameters(file_size: int) -> dict[str, int]:
        parts = -(-file_size // size)
        scaled = -(-file_size // parts)
        return {
            "num_parts": parts,
            "part_size": scaled,
            "part_size_last": file_size - scaled * (parts - 1),
            "file_size": file_size,
        }

    def claim(self: CKANAPI, call: str, *args: Any, **options: Any) -> Any:
        if call == "resource_upload_s3_urls":
            options["file_size"] = -(-int(options["file_size"]) // size) * GIBIBYTE
        return get(self, call, *args, **options)

    assert true_parameters(GIBIBYTE + 1)["num_parts"] == 2, "DCOR-Aid no longer uses parts of one gibibyte"
    patched = mock.patch.object(s3_api, "compute_upload_part_parameters", parameters)
    with patched, mock.patch.object(CKANAPI, "get", claim):
        yield


def upload(server: Server, files: list[Path], title: str, *, private: bool) -> list[Uploaded]:
    """Create a circle and a dataset in it, upload the files like DCOR-Aid, verify and activate."""
    api = server.api()
    dataset = dataset_create(
        {
            "title": title,
            "authors": "A. Measurer, B. Analyst",
            "license_id": "CC0-1.0",
            "private": private,
            "owner_org": f"circle-of-{secrets.token_hex(4)}",
        },
        api,
        create_circle=True,
    )
    job = UploadJob(api, dataset["id"], files)
    job.task_compress_resources()
    job.task_upload_resources()
    job.task_verify_resources()
    assert job.state == "done", f"upload ended as {job.state}: {job.traceback}"
    shown = {item["name"]: item["id"] for item in api.get("package_show", id=dataset["id"])["resources"]}
    return [
        Uploaded(name, path, dataset["id"], shown[name], etag)
        for name, path, etag in zip(job.resource_names, job.paths, job.etags)
    ]


def wait(what: str, probe: Callable[[], T | None], seconds: float = JOB_TIMEOUT_SECONDS) -> T:
    """Call `probe` until it returns something, and return that. Raises TimeoutError with `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found is not None:
            return found
        time.sleep(0.5)
    raise TimeoutError(f"{what}: not available after {seconds:.0f} s")


def wait_for_metadata(server: Server, resource: Uploaded) -> dict[str, Any]:
    """Wait until all background jobs have written their part of a resource's metadata, and return these."""
    api = server.api()
    wanted = {"etag", "sha256", "format", "size", "s3_url", "dc:experiment:event count", "dc:setup:channel width"}
    seen: dict[str, Any] = {}

    def probe() -> dict[str, Any] | None:
        seen.update(api.get("resource_show", id=resource.id))
        return seen if all(seen.get(key) for key in wanted) else None

    try:
        return wait(f"metadata of {resource.name}", probe)
    except TimeoutError as error:
        raise TimeoutError(f"{error}; missing: {sorted(key for key in wanted if not seen.get(key))}") from error


def wait_for_file(server: Server, path: str) -> requests.Response:
    """Wait for a file that a background job creates, and return the response."""

    def probe() -> requests.Response | None:
        answer = server.get(path)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer

    return wait(path, probe)
