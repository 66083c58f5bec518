"""Read measurements that were uploaded earlier, with DCOR-Aid and dclab, and print the checksums of what was read."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import dclab
import dcor_client
from dclab.rtdc_dataset import fmt_dcor
from dcor_client import Server
from dcoraid.download.job import DownloadJob


def main() -> None:
    """Read each resource that is named by its id."""
    parser = dcor_client.arguments(__doc__)
    parser.add_argument("--id", action="append", default=[], help="of a resource; may be given several times")
    args = parser.parse_args()
    server = dcor_client.server_of(args)
    print(json.dumps({identity: read(server, identity) for identity in args.id}, indent=1))


def read(server: Server, identity: str) -> str:
    """Return the checksum of a file; what dclab reads from the server has to be what is in it."""
    path = Path(tempfile.mkdtemp(prefix="dcor-read-back-")) / f"{identity}.rtdc"
    job = DownloadJob(server.api(), identity, path, condensed=False)
    job.task_download_resource()
    job.task_verify_resource()
    assert job.state == "done", f"{identity}: {job.state}, {job.traceback}"
    url = f"{server.url}/api/3/action/dcserv?id={identity}"
    with fmt_dcor.RTDC_DCOR(url, api_key=server.token) as remote, dclab.new_dataset(path) as local:
        assert len(remote) == len(local)
        assert (remote["deform"][:] == local["deform"][:]).all()
        assert (remote["image"][1] == local["image"][1]).all()
        assert remote["volume"][0] > 0, "the features of the condensed file are not available"
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
