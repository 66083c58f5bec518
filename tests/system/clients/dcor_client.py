"""Speak to a DCOR server as its users do: DCOR-Aid's library uploads, dclab reads.

What the programs in this directory share. They run beside the server or far from it, in an environment with
the packages of clients.txt, and know of the server only its name, its certificate and a token.
"""

from __future__ import annotations

import argparse
import contextlib
import os
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
from dclab.rtdc_dataset import fmt_dcor
from dcoraid.api import CKANAPI, dataset_create, s3_api
from dcoraid.upload.job import UploadJob

GIBIBYTE = 1024**3
MEBIBYTE = 1024**2

#: The first event of calibration_beads_47.rtdc, as DCOR's own tests know it.
FIRST_DEFORM = 0.011666297

#: Longest wait for a background job; a job takes a second or two, but this may be a busy computer.
JOB_SECONDS = 180.0

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """A server as a client knows it; without a token the client is anybody."""

    host: str
    certificate: Path
    token: str = ""

    @property
    def url(self) -> str:
        """Return the address without a slash at its end."""
        return f"https://{self.host}"

    def api(self) -> CKANAPI:
        """Return DCOR-Aid's view of the server: not cached, since tests wait for changes."""
        return CKANAPI(self.host, api_key=self.token, ssl_verify=str(self.certificate), caching=False)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Get a page or a file as a browser or script would, following redirects."""
        headers = {"Authorization": self.token} if self.token else {}
        return requests.get(self.url + path, headers=headers, verify=str(self.certificate), timeout=30, **options)


@dataclass(frozen=True)
class Uploaded:
    """One file as it lies on the server, and what DCOR-Aid computed of it on the way."""

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
    """Return a word that no dataset has; of letters alone, since the search takes words apart at digits."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(20))


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return the arguments that all programs take."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("host", help="the server's name, as in its certificate")
    parser.add_argument("--certificate", type=Path, required=True, help="what to trust, a PEM file")
    parser.add_argument("--token", type=Path, required=True, help="a file with an ordinary user's API token")
    parser.add_argument("--wheels", type=Path, default=Path("/usr/share/dcor-wheels"), help="where DCOR's wheels lie")
    return parser


def server_of(args: argparse.Namespace) -> Server:
    """Return the server that the arguments name, trusted by everything in this process.

    DCOR-Aid's transfers to the object store and dclab's from it take no certificate: they believe the
    environment. dclab's questions to the API look in a directory for HOST.cert instead.
    """
    directory = Path(tempfile.mkdtemp(prefix="dcor-client-"))
    (directory / f"{args.host}.cert").write_bytes(args.certificate.read_bytes())
    fmt_dcor.DCOR_CERTS_SEARCH_PATHS.append(directory)
    os.environ["REQUESTS_CA_BUNDLE"] = str(args.certificate)
    return Server(args.host, args.certificate, args.token.read_text().strip())


def measurements(wheels: Path) -> dict[str, Path]:
    """Unpack the two measurements that the wheel of ckanext-dc_serve holds for its own tests.

    The third is one of them made larger, for a multipart upload: HDF5 does not mind what lies behind its end.
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
    """Let uploads larger than `size` go in several parts, without a file of a gibibyte.

    Client and server both count parts of one gibibyte. So the client counts in parts of `size`, and tells the
    server that the file has as many gibibytes as there are parts.
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

    assert true_parameters(GIBIBYTE + 1)["num_parts"] == 2, "DCOR-Aid no longer counts parts of one gibibyte"
    patched = mock.patch.object(s3_api, "compute_upload_part_parameters", parameters)
    with patched, mock.patch.object(CKANAPI, "get", claim):
        yield


def upload(server: Server, files: list[Path], title: str, *, private: bool) -> list[Uploaded]:
    """Make a circle and a dataset in it, upload the files as DCOR-Aid does, verify and activate."""
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


def wait(what: str, probe: Callable[[], T | None], seconds: float = JOB_SECONDS) -> T:
    """Return what `probe` finds as soon as it finds anything; say what never came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found is not None:
            return found
        time.sleep(0.5)
    raise TimeoutError(f"{what}: not there after {seconds:.0f} s")


def wait_for_metadata(server: Server, resource: Uploaded) -> dict[str, Any]:
    """Return the resource's metadata as soon as each background job has written its part."""
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
    """Return the answer as soon as a file that a background job makes is there."""

    def probe() -> requests.Response | None:
        answer = server.get(path)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer

    return wait(path, probe)
