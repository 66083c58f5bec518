"""The state of the server as metrics, in Prometheus's text format ("Exposition formats", version 0.0.4)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.trusted_path import ROOT
from dcor_pkg.status.health import Examined
from dcor_pkg.status.part import Part

#: begins the names of all metrics
PREFIX = "dcor_server_"
#: what each says; all are gauges. Those from "free_bytes" on are the numbers of parts.
METRICS = {
    "ok": "Whether dcor-server status finds no problem.",
    "status_seconds": "How long all answers took.",
    "status_timestamp_seconds": "When the parts were asked.",
    "notices": "Things to know although nothing is wrong.",
    "part_ok": "Whether a part has no problem.",
    "part_is_cause": "Whether a part has a problem that is not only another part's.",
    "part_warning": "Whether a part should be looked at before it has a problem.",
    "part_seconds": "How long the answer of a part took.",
    "free_bytes": "Free bytes of the disk.",
    "free_inodes": "Files that can still be made on the disk.",
    "memory_available_mib": "Memory that programs can get, in MiB.",
    "jobs_waiting": "Jobs that wait in the queue.",
    "jobs_failed": "Jobs of the queue that have failed.",
    "certificate_days_left": "Days until the certificate ends.",
    "converge_timestamp_seconds": "When the last converge ended.",
    "converge_success": "Whether the last converge succeeded.",
    "failed_units": "Units of dcor-server that have failed.",
    "failed_mails": "Units that have failed and about which no mail could be sent.",
}
#: where the timer writes, if Debian's prometheus-node-exporter is installed (debian/dcor-server.dcor-metrics.service)
FILE = "/var/lib/prometheus/node-exporter/dcor-server.prom"
#: whoever reads it is not root
PUBLIC = 0o644
#: a sample: its labels, and its value
Sample = tuple[Mapping[str, str], float]


def text(examined: Examined, last: LastConverge) -> str:
    """Return the metrics, each with what it says and its type before it."""
    found = _of_server(examined, last) | {
        "part_ok": [(_labels(it), float(it.problem is None)) for it in examined.parts],
        "part_is_cause": [(_labels(it), float(it.is_root)) for it in examined.parts],
        "part_warning": [(_labels(it), float(bool(it.warning))) for it in examined.parts],
        "part_seconds": [(_labels(it), round(it.seconds, 3)) for it in examined.parts],
    }
    for part in examined.parts:
        for name, value in part.numbers.items():
            found.setdefault(name, []).append((_labels(part), value))
    return "".join(f"{line}\n" for name, samples in found.items() for line in _lines(name, samples))


def write(host: Host, path: str, metrics: str) -> None:
    """Replace a file in one step. Its directory has to be there. Raises DcorError.

    Where another user owns a directory on the way, the file is that user's, too: no link is followed from there on, and
    nothing of others is replaced (trusted_path.py).
    """
    directory = PurePosixPath(path).parent
    if not path.startswith("/") or not host.exists(str(directory)):
        hint = "Name a file in an existing directory, by its whole path; node_exporter reads those that end in .prom."
        raise DcorError(f"The metrics cannot be written to {path}: there is no directory {directory}.", hint)
    owner = _owner(host, directory)
    host.write(path, metrics, Access(PUBLIC, owner.owner, owner.group))


def remove(host: Host) -> None:
    """Remove the timer's file: nothing would ever change it again, and monitors would take it for the truth."""
    host.remove(FILE, _owner(host, PurePosixPath(FILE).parent).owner)


def _owner(host: Host, directory: PurePosixPath) -> Access:
    """Return the access of the first directory on the way that is not root's, or one of root's."""
    ways = [host.access(str(place)) for place in (*reversed(directory.parents), directory)]
    return next((it for it in ways if it is not None and it.owner != ROOT), Access(PUBLIC))


def _of_server(examined: Examined, last: LastConverge) -> dict[str, list[Sample]]:
    is_well = not last.reason and all(part.problem is None for part in examined.parts)
    values = {
        "ok": float(is_well),
        "status_seconds": round(examined.seconds, 3),
        "status_timestamp_seconds": round(time.time()),
        "notices": len(examined.notices),
    }
    return {name: [({}, value)] for name, value in values.items()}


def _labels(part: Part) -> Mapping[str, str]:
    return {"part": part.name}


def _lines(name: str, samples: list[Sample]) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {METRICS[name]}"
    yield f"# TYPE {PREFIX}{name} gauge"
    for labels, value in samples:
        shown = ",".join(f'{label}="{_escaped(of)}"' for label, of in labels.items())
        yield f"{PREFIX}{name}{{{shown}}} {value:.15g}" if shown else f"{PREFIX}{name} {value:.15g}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
