"""The state of the server as one line for Nagios, Icinga and the like.

The form is that of the Monitoring Plugins Development Guidelines, "Plugin Output for Nagios": STATE - text, a "|", and
performance data 'label'=value[unit];[warning];[critical];[minimum];[maximum].
"""

from __future__ import annotations

from collections.abc import Iterator

from dcor_pkg.errors import printable
from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.status.health import Examined
from dcor_pkg.status.part import Part

#: the exit codes ("Plugin Return Codes")
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
STATES = {OK: "OK", WARNING: "WARNING", CRITICAL: "CRITICAL", UNKNOWN: "UNKNOWN"}
#: of numbers, by the end of their names: B is bytes
UNITS = {"_bytes": "B"}


def result(examined: Examined, last: LastConverge) -> tuple[int, str]:
    """Return the exit code and the line. What only waits for another part is not named."""
    problems = [f"{part.name}: {part.problem}" for part in examined.parts if part.is_root]
    problems += [f"the last converge failed: {last.reason}"] if last.reason else []
    warnings = [f"{part.name}: {part.warning}" for part in examined.parts if part.warning and part.problem is None]
    code = CRITICAL if problems else WARNING if warnings else OK
    return code, line(code, "; ".join(problems or warnings) or "all parts are well", " ".join(_data(examined)))


def line(code: int, said: str, data: str = "") -> str:
    """Return the line; a "|" or the end of a line in what is said would end it."""
    text = " ".join(printable(said).split()).replace("|", "/")
    return f"{STATES[code]} - {text}" + (f" | {data}" if data else "")


def _data(examined: Examined) -> Iterator[str]:
    yield f"time={examined.seconds:.3f}s"
    for part in examined.parts:
        if part.is_timed:
            yield f"{_label(part, 'time')}={part.seconds:.3f}s"
        for name, value in part.numbers.items():
            unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), "")
            yield f"{_label(part, name)}={value:.0f}{unit}"


def _label(part: Part, name: str) -> str:
    """Return a label; neither a quote nor "=" is in the name of a part, except in a path that was chosen so."""
    return f"'{part.name} {name}'".replace("=", "_") if "'" not in part.name else f"'{name}'"
