"""A fake of S3 stores, as curl(1) reaches them: the local one on its socket, and external ones by their addresses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.unit.fake_programs.call import Call, Handler
from tests.unit.fake_programs.systemd import Systemd

UNIT, SOCKET = "dcor-object-store.service", "/run/dcor-object-store/s3.sock"
EXTERNAL = "https://s3.example.org"


@dataclass
class ObjectStore:
    """The buckets of each store, by its address; the local one is "local"."""

    systemd: Systemd
    buckets: dict[str, set[str]] = field(default_factory=lambda: {"local": set(), EXTERNAL: set()})

    #: how many requests for objects are answered with 404, before the first that is not
    lost_objects: int = 0

    #: the texts of objects, by BUCKET/NAME; each that was stored or deleted; whether it keeps what is stored
    objects: dict[str, str] = field(default_factory=dict)
    stored: list[tuple[str, str]] = field(default_factory=list)
    keeps: bool = True

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {"curl": self.curl}

    def curl(self, call: Call) -> str:
        """Carry out the signed request of a configuration on the standard input."""
        assert call.argv == ("curl", "--silent", "--show-error", "--max-time", "60", "--config", "-"), call.argv
        options = {name: json.loads(value) for name, value in (line.split(" = ", 1) for line in call.text.splitlines())}
        assert len(options["user"].split(":")[1]) > 0, "the secret is empty"
        assert options["aws-sigv4"].endswith(":s3"), options
        address = urlsplit(options["url"])
        is_local = options.get("unix-socket", "").endswith(SOCKET)
        if is_local and not self.systemd.is_active(UNIT):
            raise call.failure(7, f"curl: (7) Couldn't connect to server {SOCKET}\n")
        if options.get("range") == "0-0":
            return self._first_byte()
        if "/" in (path := address.path[1:]):
            file = options.get("upload-file")
            return self._object(options["request"], path, (self.systemd.host.read(file) if file else None) or "")
        place = "local" if is_local else f"{address.scheme}://{address.netloc}"
        return f"{self._answer(call, self.buckets[place], options['request'], address.path[1:])}\n200"

    def _first_byte(self) -> str:
        self.lost_objects -= 1
        return "<Error/>\n404" if self.lost_objects >= 0 else "\n206"

    def _object(self, method: str, path: str, content: str) -> str:
        if method == "GET":
            return (
                f"{self.objects[path]}\n200" if path in self.objects else "<Error><Code>NoSuchKey</Code></Error>\n404"
            )
        self.stored.append((method, path))
        if method == "PUT" and self.keeps:
            self.objects[path] = content
        elif method == "DELETE":
            self.objects.pop(path, None)
        return "\n200"

    def _answer(self, call: Call, buckets: set[str], method: str, bucket: str) -> str:
        if (method, bucket) == ("GET", ""):
            names = "".join(f"<Bucket><Name>{name}</Name></Bucket>" for name in sorted(buckets))
            return f"<ListAllMyBucketsResult><Buckets>{names}</Buckets></ListAllMyBucketsResult>"
        if method == "PUT":
            buckets.add(bucket)
        elif method == "DELETE":
            buckets.remove(bucket)
        else:
            raise call.unknown()
        return ""
