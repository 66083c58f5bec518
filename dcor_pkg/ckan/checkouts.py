"""Checkouts that CKAN's packages are developed in: what the setting `develop` names, and what they say of themselves.

Nothing of them is run here: their names and entry points are read as data. What cannot be known without running it, as
what a setup.py says, is refused.
"""

from __future__ import annotations

import configparser
import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dcor_pkg.answers.settings import ROWS, InvalidAnswer, Settings
from dcor_pkg.ckan import unit
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host

KEY = "develop"
PLACE_HINT = "A good place is a directory of the developer's own below /srv; nobody else has to be able to read it."
#: distributions that a release is made with, and not of
KEPT = ("ckan", "dcor-runtime", "pip", "setuptools")
#: a distribution's name, a version and an entry point (Python Packaging User Guide: "Names and normalization",
#: "Version specifiers", "Entry points specification"); they are written into files of a release
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
VERSION = re.compile(r"[A-Za-z0-9.!]+")
GROUP, ENTRY, OBJECT = (
    re.compile(r"[\w.-]+"),
    re.compile(r"[\w.:/-]+(?: [\w.:/-]+)*"),
    re.compile(r"[\w.]+(?::[\w.]+)?"),
)


@dataclass(frozen=True)
class Checkout:
    """A checkout, as a release has it."""

    path: str
    #: the distribution's name in its normal form
    name: str
    #: "" where it is not written down, but made by a program
    version: str
    #: the directory that its modules are imported from
    root: str
    #: the text of entry_points.txt
    entry_points: str


def paths(settings: Settings) -> tuple[str, ...]:
    """Return the paths of the checkouts that the settings name."""
    return tuple(settings.develop.split())


def check(host: Host, proposal: Proposal) -> None:
    """Raise InvalidAnswer for a checkout that no release could be made with."""
    for path in paths(proposal.wanted):
        hidden = next((place for place in unit.HIDDEN if Path(place) in (Path(path), *Path(path).parents)), None)
        if hidden is not None:
            problem = f"CKAN, which is confined, does not see {hidden}"
            raise InvalidAnswer(f"dcor-server/{KEY}", path, problem, PLACE_HINT)
    try:
        read_all(host, paths(proposal.wanted))
    except DcorError as error:
        answer = proposal.wanted.develop
        raise InvalidAnswer(f"dcor-server/{KEY}", answer, error.reason, error.hint or ROWS[KEY].hint) from None


def read_all(host: Host, places: tuple[str, ...]) -> tuple[Checkout, ...]:
    """Return the checkouts at these paths. Raises DcorError."""
    found: dict[str, Checkout] = {}
    for path in places:
        checkout = read(host, path)
        if checkout.name in found:
            raise DcorError(f"{path} and {found[checkout.name].path} are both {checkout.name}.", "Name one of them.")
        found[checkout.name] = checkout
    return tuple(found.values())


def owner(host: Host, path: str) -> str:
    """Return the owner of a checkout. Raises DcorError where another user could exchange it."""
    access = host.access(path)
    if access is None or not host.path(path).is_dir():
        raise DcorError(f"{path} is not a directory.")
    for place in (Path(path), *Path(path).parents):
        if (target := host.target(str(place))) is not None:
            raise DcorError(f"{place} is a link to {target}.", "Name the directory itself.")
    host.require_trusted(f"{path}/x", access.owner)
    return access.owner


def normalized(name: str) -> str:
    """Return the normal form of a distribution's name (Python Packaging User Guide, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(host: Host, path: str) -> Checkout:
    """Return the checkout at a path. Raises DcorError."""
    owner(host, path)
    name, version, groups = _metadata(host, path)
    normal = normalized(name)
    if not NAME.fullmatch(name):
        raise DcorError(f"{path} does not say what it is: the name of its distribution is {name!r}.")
    if normal in KEPT:
        raise DcorError(f"{path} is {normal}, which a release takes from its package only.")
    has_source = host.exists(f"{path}/src") and not host.exists(f"{path}/src/__init__.py")
    root = f"{path}/src" if has_source else path
    return Checkout(path, normal, version if VERSION.fullmatch(version) else "", root, _entry_points(path, groups))


def _metadata(host: Host, path: str) -> tuple[str, str, dict[str, dict[str, str]]]:
    """Return name, version and entry points by their groups, from pyproject.toml or setup.cfg. Raises DcorError."""
    project = _toml(f"{path}/pyproject.toml", host.read(f"{path}/pyproject.toml") or "").get("project")
    if isinstance(project, dict):
        groups = project.get("entry-points", {})
        return str(project.get("name", "")), str(project.get("version", "")), groups if isinstance(groups, dict) else {}
    text = host.read(f"{path}/setup.cfg")
    if text is None:
        problem = "has only a setup.py" if host.exists(f"{path}/setup.py") else "has no pyproject.toml and no setup.cfg"
        raise DcorError(
            f"{path} {problem}, so it is not known what it is.",
            "Name the directory with pyproject.toml, and let that have a table [project] with name and entry points.",
        )
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
        points = parser.items("options.entry_points") if parser.has_section("options.entry_points") else []
        lines = {
            group: dict(line.split("=", 1) for line in value.split("\n") if line.strip()) for group, value in points
        }
    except (configparser.Error, ValueError) as error:
        raise DcorError(f"{path}/setup.cfg cannot be read: {error}") from None
    return parser.get("metadata", "name", fallback=""), parser.get("metadata", "version", fallback=""), lines


def _toml(path: str, text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = importlib.import_module("tomllib").loads(text)
    except ModuleNotFoundError:
        raise DcorError("Checkouts need Python 3.11 or newer on this machine.") from None
    except ValueError as error:
        raise DcorError(f"{path} cannot be read: {error}") from None
    return found


def _entry_points(path: str, groups: dict[str, dict[str, str]]) -> str:
    """Return the text of entry_points.txt. Raises DcorError for what could be another text."""
    lines = []
    for group, points in groups.items():
        lines.append(f"[{group}]")
        for key, value in (points if isinstance(points, dict) else {"": ""}).items():
            name, target = str(key).strip(), str(value).strip()
            if not (GROUP.fullmatch(str(group)) and ENTRY.fullmatch(name) and OBJECT.fullmatch(target)):
                raise DcorError(f"{path} has an entry point that is not valid: {name} = {target} in {group}.")
            lines.append(f"{name} = {target}")
    return "".join(f"{line}\n" for line in lines)
