"""A fake of nginx: its test of the configuration, and worker processes that a reload exchanges."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.nginx import additions
from tests.unit.fake_programs.call import Call, Handler

MASTER = "800"
ENABLED = "/etc/nginx/sites-enabled"
#: what `nginx -t -q` of Debian 12 says, with exit code 1
REFUSAL = 'nginx: [emerg] unknown directive "nonsense" in {}:3\n'


@dataclass
class Nginx:
    """An nginx that refuses what holds the word "nonsense"."""

    host: Host
    #: how often it was reloaded
    reloads: int = 0
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(801), compare=False)

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {"nginx": self.test, "unshare": self.test}

    def test(self, call: Call) -> str:
        """Answer to `nginx -t`, and to the same with the additions of now in the place of their copies."""
        if call.argv not in (additions.VALIDATE, additions.VALIDATE_ADDITIONS):
            raise call.unknown()
        directory = additions.COPIES if call.argv == additions.VALIDATE else additions.DIRECTORY
        texts = {
            f"{additions.COPIES}/{name}": self.host.read(f"{directory}/{name}") for name in self.host.names(directory)
        }
        for name in self.host.names(ENABLED):
            texts[f"{ENABLED}/{name}"] = self.host.read(self._target(f"{ENABLED}/{name}"))
        for path, text in texts.items():
            if text is None or "nonsense" in text:
                raise call.failure(1, REFUSAL.format(path))
        return ""

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
