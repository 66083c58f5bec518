"""Choose the files of a release set, once, with a suite's own Python; servers only unpack what was chosen here.

In two steps, CKAN with its authors' pins and then DCOR beside it: one resolution of both fails or takes minutes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from dcor_dev import cache, downloads, lockfiles, versions
from dcor_dev.errors import DevError
from dcor_dev.lockfiles import Pin

#: pkg_resources, which CKAN imports, left setuptools with version 82. The web server is DCOR's requirement too, but it
#: is compiled, and python-ckan is where a compiler has been.
BESIDE_CKAN = ("setuptools<82", "uWSGI", "wheel")

#: A type checker and its data (1,400 files) come by an extra of SQLAlchemy; nothing that runs imports them.
WITHOUT = frozenset({"mypy", "mypy-extensions", "sqlalchemy2-stubs"})

#: What these ask for to be built, beside setuptools, where Python has no wheel of theirs.
BUILDERS = {"pysolr": "setuptools-scm", "pyyaml": "Cython<3"}


def lock(tree: Path, suite: str, python: str) -> None:
    """Write conf/lock/PYTHON anew."""
    place = tree / "conf/lock" / python
    wanted = f"ckan[requirements]=={versions.section(tree, 'python-ckan')['upstream']}"
    ckan = [pin for pin in _choose(suite, [wanted, *BESIDE_CKAN], []) if pin.key not in WITHOUT]
    dcor = _choose(suite, [f"dcor_control=={versions.section(tree, 'dcor-wheels')['upstream']}"], ckan)
    sources = [pin.file for pin in dcor if not pin.is_wheel]
    if sources:
        raise DevError(f"These have no wheel for {python}, and a server has no compiler: {', '.join(sources)}")
    lockfiles.write(place / "ckan.txt", ckan, "CKAN with what it needs, and the web server.")
    lockfiles.write(place / "dcor.txt", dcor, "DCOR's extensions with all that they need beside CKAN.")
    build = _choose(suite, [BUILDERS[pin.key] for pin in ckan if not pin.is_wheel and pin.key in BUILDERS], ckan)
    lockfiles.write(
        place / "build.txt", build, "What compiles CKAN's source packages, beside CKAN's own lock; installed nowhere."
    )


def _choose(suite: str, wanted: list[str], known: list[Pin]) -> list[Pin]:
    """Let pip resolve `wanted` beside what is chosen already, and return what it adds."""
    cache.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lock-", dir=cache.CACHE) as name:
        folder = Path(name)
        pins = "".join(f"{pin.name}=={pin.version}\n" for pin in known)
        (folder / "known.txt").write_text(pins, encoding="utf-8")
        options = ("--dry-run", "--ignore-installed", "--quiet", "--root-user-action=ignore")
        downloads.pip(suite, folder, "install", *options, "--constraint=known.txt", "--report=report.json", *wanted)
        return lockfiles.from_report((folder / "report.json").read_text(encoding="utf-8"), known)
