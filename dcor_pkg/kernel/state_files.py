"""The step that moves damaged state files away, so that what they record is found out again."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.kernel.instance import INSTANCE
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import STATE

ENDING, DAMAGED = ".json", ".damaged"


@dataclass(frozen=True)
class StateFiles:
    """All state files of this server are whole; a damaged one is moved to FILE.damaged."""

    name: str = "state files"

    def check(self, host: Host) -> str | None:
        found = next(iter(self._damaged(host).items()), None)
        return None if found is None else f"{found[0]} is damaged ({found[1]}), so it is moved to {found[0]}{DAMAGED}"

    def apply(self, host: Host) -> None:
        for path in self._damaged(host):
            host.rename(path, f"{path}{DAMAGED}")

    def _damaged(self, host: Host) -> dict[str, str]:
        """Return why each damaged file is damaged, by its path."""
        paths = [f"{STATE}/{name}" for name in host.names(STATE) if name.endswith(ENDING)]
        problems = {path: state_file.problem(host.read(path) or "") for path in paths}
        if (instance := host.read(INSTANCE)) is not None and not instance.strip():
            problems[INSTANCE] = "it is empty"  # the marker in the data directory says it as well
        return {path: why for path, why in problems.items() if why is not None}
