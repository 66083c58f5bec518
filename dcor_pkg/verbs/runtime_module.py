"""Run one of dcor-server's own modules in the active release, which prints JSON."""

from __future__ import annotations

import json
from typing import Any

from dcor_pkg.ckan import release
from dcor_pkg.errors import DcorError
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.language import Message
from dcor_pkg.verbs import active_release


class Refused(DcorError):
    """A module cannot do what it was asked for, and has changed nothing."""


def run(host: Host, module: str, *arguments: str, timeout: float = 3600) -> Any:
    """Run a module of `dcor_runtime`, and return what it prints; libraries may print lines before. `timeout`: seconds.

    Raises DcorError when there is no active release, and CommandFailed.
    """
    active = active_release.require_for_data(host)
    output = release.run(host, active, "python", "-m", f"dcor_runtime.{module}", *arguments, timeout=timeout)
    return json.loads(output.strip().splitlines()[-1])


def request(host: Host, module: str, do: str, **arguments: Any) -> Any:
    """Let a module do what it is asked for (`dcor_runtime.requested`), and return the result.

    Raises Refused with what the module says why it cannot, and DcorError.
    """
    result = run(host, module, json.dumps({"do": do, **arguments}))
    if "refused" in result:
        raise Refused(*(str(Message.of(it)) for it in result["refused"]))
    return result
