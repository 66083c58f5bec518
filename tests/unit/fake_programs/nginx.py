"""A fake of nginx: its test of the configuration, and worker processes that a reload exchanges."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import additions
from dcor_pkg.nginx.site import ENABLED, READ, SITES
from tests.unit.fake_programs.call import Call, Handler

MASTER = "800"
#: source and place of a file or directory that a script mounts
MOUNT = re.compile(r"mount --bind (\S+) (\S+);")
#: what `nginx -t -q` of Debian 12 says, with exit code 1
REFUSAL = 'nginx: [emerg] unknown directive "nonsense" in {}:3\n'


@dataclass
class Nginx:
    """An nginx that refuses what holds the word "nonsense"."""

    host: Host
    #: whether nginx.conf includes the directory of the sites
    reads_sites: bool = True
    #: how often it was reloaded
    reloads: int = 0
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(801), compare=False)

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {"nginx": self.test, "unshare": self.test}

    def test(self, call: Call) -> str:
        """Answer to `nginx -t` and `nginx -T`, also with other files in the place of some: they are mounted there."""
        script = " ".join(call.argv)
        if script.endswith(" ".join(READ)):
            enabled = [ENABLED] if "tmpfs" in script else [f"{SITES}/{name}" for name in self.host.names(SITES)]
            return "".join(f"# configuration file {path}:\n" for path in enabled if self.reads_sites)
        if not script.endswith(" ".join(additions.VALIDATE)):
            raise call.unknown()
        for path, text in self._texts(dict(map(reversed, MOUNT.findall(script)))).items():
            if text is None or "nonsense" in text:
                raise call.failure(1, REFUSAL.format(path))
        return ""

    def _texts(self, mounted: Mapping[str, str]) -> dict[str, str | None]:
        """Return the text of each file that is read, by the paths in nginx's messages."""
        own = mounted.get(additions.COPIES, additions.COPIES)
        texts = {f"{additions.COPIES}/{name}": self.host.read(f"{own}/{name}") for name in self.host.names(own)}
        for name in self.host.names(SITES) if self.reads_sites else ():
            target = self._target(f"{SITES}/{name}")
            source = mounted.get(target)
            texts[f"{SITES}/{name}"] = Path(source).read_text() if source else self.host.read(target)
        return texts

    def start(self) -> None:
        """Write what /run and /proc show of it."""
        access = Access(0o644)
        self.host.write("/run/nginx.pid", f"{MASTER}\n", access)
        worker = str(next(self.numbers))
        self.host.write(f"/proc/{MASTER}/task/{MASTER}/children", f"{worker} ", access)
        self.host.write(f"/proc/{worker}/cmdline", "nginx: worker process", access)

    def stop(self) -> None:
        """Remove what /run and /proc show of it."""
        for worker in (self.host.read(f"/proc/{MASTER}/task/{MASTER}/children") or "").split():
            self.host.remove_tree(f"/proc/{worker}")
        self.host.remove("/run/nginx.pid")

    def reload(self) -> None:
        """Exchange the worker; the old one ends at once."""
        self.reloads += 1
        self.stop()
        self.start()

    def _target(self, path: str) -> str:
        """Return what a link in sites-enabled leads to."""
        target = self.host.target(path) or path
        return target.replace("..", "/etc/nginx", 1)
