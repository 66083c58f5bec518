"""Resolve the files of a release set with a suite's Python; servers only unpack these files.

In two steps, first CKAN with its authors' pins, then DCOR's extensions: one resolution of both fails or takes minutes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from dcor_dev import cache, downloads, lockfiles, versions
from dcor_dev.errors import DevError
from dcor_dev.lockfiles import Pin

#: Requirements besides CKAN's: CKAN imports pkg_resources, which setuptools 82 no longer has. uWSGI is DCOR's
#: requirement, but has to be compiled, and only python-ckan is built with a compiler.
CKAN_EXTRAS = ("setuptools<82", "uWSGI", "wheel")

#: A type checker and its data (1,400 files), which an extra of SQLAlchemy requires and no program imports.
EXCLUDED = frozenset({"mypy", "mypy-extensions", "sqlalchemy2-stubs"})

#: Build requirements, besides setuptools, of packages that have no wheel.
BUILD_REQUIREMENTS = {"pysolr": "setuptools-scm", "pyyaml": "Cython<3"}

#: What upstream's own suites need besides what they test; CKAN 2.11 brings its plugin of pytest itself.
TEST_TOOLS = (
    *("pytest<9", "pytest-cov", "pytest-factoryboy", "factory-boy", "faker", "freezegun"),
    *("requests-toolbelt", "responses"),
)

#: What has a suite of its own, which its sdist carries and its wheel does not.
TESTED = (
    *("ckanext-dc_log_view", "ckanext-dc_serve", "ckanext-dc_view", "ckanext-dcor_depot", "ckanext-dcor_schemas"),
    *("ckanext-dcor_theme", "dcor_control", "dcor_shared"),
)


def lock(tree: Path, suite: str, python: str) -> None:
    """Resolve the release set and write the lock files in conf/lock/PYTHON."""
    place = tree / "conf/lock" / python
    wanted = f"ckan[requirements]=={versions.section(tree, 'python-ckan')['upstream']}"
    ckan = [pin for pin in _resolve(suite, [wanted, *CKAN_EXTRAS], []) if pin.key not in EXCLUDED]
    dcor = _resolve(suite, [f"dcor_control=={versions.section(tree, 'dcor-wheels')['upstream']}"], ckan)
    test = _resolve(suite, list(TEST_TOOLS), [*ckan, *dcor])
    sources = [pin.file for pin in (*dcor, *test) if not pin.is_wheel]
    if sources:
        raise DevError(f"There is no wheel for {python}, and servers have no compiler: {', '.join(sources)}")
    lockfiles.write(place / "ckan.txt", ckan, "CKAN and its dependencies, and the web server.")
    lockfiles.write(place / "dcor.txt", dcor, "DCOR's extensions and their dependencies that CKAN does not have.")
    lockfiles.write(place / "test.txt", test, "What the suites of upstream need that a release does not have.")
    lockfiles.write(place / "suites.txt", _sdists(suite, dcor), "The sources of what has a suite of its own.")
    build = _resolve(
        suite, [BUILD_REQUIREMENTS[pin.key] for pin in ckan if not pin.is_wheel and pin.key in BUILD_REQUIREMENTS], ckan
    )
    lockfiles.write(
        place / "build.txt",
        build,
        "Build requirements of CKAN's source packages that ckan.txt does not have; not installed on servers.",
    )


def _sdists(suite: str, pins: list[Pin]) -> list[Pin]:
    """Return pins of the sdists of what has a suite, in the versions of the release set."""
    keys = {Pin(name, "", "", "").key for name in TESTED}
    wanted = [f"{pin.name}=={pin.version}" for pin in pins if pin.key in keys]
    if len(wanted) != len(TESTED):
        raise DevError(f"The release set has not all of {', '.join(TESTED)}, but {', '.join(wanted)}")
    return _resolve(suite, [*wanted, "--no-deps", f"--no-binary={','.join(TESTED)}"], [])


def _resolve(suite: str, wanted: list[str], known: list[Pin]) -> list[Pin]:
    """Let pip resolve the requirements `wanted`, and return the pins that are not in `known`."""
    cache.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lock-", dir=cache.CACHE) as name:
        directory = Path(name)
        pins = "".join(f"{pin.name}=={pin.version}\n" for pin in known)
        (directory / "known.txt").write_text(pins, encoding="utf-8")
        options = ("--dry-run", "--ignore-installed", "--quiet", "--root-user-action=ignore")
        downloads.pip(suite, directory, "install", *options, "--constraint=known.txt", "--report=report.json", *wanted)
        return lockfiles.from_report((directory / "report.json").read_text(encoding="utf-8"), known)
