"""A fake of Redis on its unix socket, as redis-cli asks it."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.services.redis.local import UNIT
from tests.unit.fake_programs.call import Call, Handler
from tests.unit.fake_programs.systemd import Systemd


@dataclass
class Redis:
    """A Redis that answers where its unit runs; `answer` is what it says to PING."""

    systemd: Systemd
    answer: str = "PONG"

    def programs(self) -> dict[str, Handler]:
        """Return the handlers by the names of their programs."""
        return {"redis-cli": self.ping}

    def ping(self, call: Call) -> str:
        """Answer `redis-cli -s SOCKET PING`."""
        if (call.argv[1], *call.argv[3:]) != ("-s", "PING"):
            raise call.unknown()
        if not self.systemd.is_active(UNIT):
            raise call.failure(1, f"Could not connect to Redis at {call.argv[2]}: No such file or directory\n")
        return f"{self.answer}\n"
