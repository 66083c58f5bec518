"""The two cores of the local Solr: one is in use, and the other one gets the schema of the next release.

ckan.ini names the one in use (`solr_url`), as it is restored where a switch fails. docs/decisions/search-core.md has
the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_INI, CURRENT, STATE

CORES = ("ckan", "ckan_b")
HOME = "/var/lib/dcor-solr/home"
STATE_FILE = f"{STATE}/search-cores.json"
#: Solr on this machine, and in ckan.ini the core that CKAN uses there
ORIGIN = "http://127.0.0.1:8983/solr"
OPTION = re.compile(rf"^(solr_url[ \t]*[=:][ \t]*{re.escape(ORIGIN)}/)({'|'.join(CORES)})[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Cores:
    """What the cores have; its fields are the keys of the state file."""

    #: the text of the schema of each core
    schemas: dict[str, str]
    #: those that have the datasets of the database, but for what was written while the other one was in use; until when
    #: they have that as well, in seconds since 1970
    filled: dict[str, float]


def other(core: str) -> str:
    """Return the core beside one."""
    return next(it for it in CORES if it != core)


def configuration(core: str) -> str:
    """Return the directory of a core's configuration."""
    return f"{HOME}/configsets/{core}/conf"


def schema(core: str) -> str:
    """Return the path of a core's schema."""
    return f"{configuration(core)}/schema.xml"


def index(core: str) -> str:
    """Return the directory of a core's index; Solr goes on answering from files that were removed."""
    return f"/var/lib/dcor-solr/data/{core}/data/index"


def in_text(text: str | None) -> str | None:
    """Return the core that a ckan.ini names, or None where it names another Solr."""
    found = OPTION.search(text or "")
    return found[2] if found else None


def named(host: Host) -> str:
    """Return the core that is in use: the one that ckan.ini names."""
    return in_text(host.read(CKAN_INI)) or CORES[0]


def renamed(text: str, core: str) -> str:
    """Return the text of a ckan.ini with another core."""
    return OPTION.sub(lambda found: f"{found[1]}{core}", text)


def read(host: Host) -> Cores | None:
    """Return what is recorded, or None."""
    found: dict[str, Any] = state_file.read(host, STATE_FILE, {})
    return Cores(**found) if found.keys() == Cores.__annotations__.keys() else None


def first(host: Host, text: str) -> Cores:
    """Return what to record where nothing is: what there is on a server that serves, or else a schema for both."""
    found = {core: host.read(schema(core)) for core in CORES} if host.target(CURRENT) else {}
    own = found.get(named(host)) or text
    return Cores({core: found.get(core) or own for core in CORES}, {named(host): 0.0})


def record(host: Host, state: Cores) -> None:
    """Record what the cores have."""
    state_file.write(host, STATE_FILE, asdict(state))


def replace_schema(host: Host, core: str, text: str) -> None:
    """Record that a core gets another schema, and nothing is in it."""
    forget(host, core)
    _change(host, lambda state: replace(state, schemas={**state.schemas, core: text}))


def forget(host: Host, core: str) -> None:
    """Record that a core does not have the datasets of the database."""
    _change(host, lambda state: replace(state, filled={it: at for it, at in state.filled.items() if it != core}))


def caught_up(host: Host, core: str, moment: float) -> None:
    """Record that a core has what was indexed in the other one until then."""
    _change(host, lambda state: replace(state, filled={**state.filled, core: moment}))


def _change(host: Host, change: Callable[[Cores], Cores]) -> None:
    state = read(host)
    if state is not None:
        record(host, change(state))
