"""Build our packages, each in a clean root directory, and only when its inputs have changed.

The build sees only the package's own sources, so a file that does not contribute to its key cannot be in the package.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dcor_dev import cache, downloads, lockfiles, roots, versions
from dcor_dev.errors import DevError

#: Increase this when a change of this module changes the content of packages.
RECIPE = "1"

#: Sources of every package, besides debian/changelog, which is generated, and its paragraphs of debian/control.
COMMON = ("debian/copyright", "debian/licences", "debian/rules", "debian/source")

#: Directories of what dcor-server installs, below debian.
DIRECTORIES = ("completion", "examples", "po", "units")
#: The extensions of files that a build in the checkout leaves in debian/.
GENERATED = (".copyright", ".debhelper", ".log", ".substvars")

#: The name and content of files that a build gets besides the sources: the repository's key and address.
ExtraInputs = Mapping[str, bytes]


@dataclass(frozen=True)
class Package:
    """A binary package; in `locks`, {python} stands for the name of the suite's Python."""

    name: str
    profile: str
    sources: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    jars: bool = False
    #: the same file for all suites, so it has to be built in the oldest of them
    for_all_suites: bool = False


ALL = (
    Package(
        "python-ckan",
        "ckan",
        ("conf/ckan", "dcor_pkg/machine/terminal.py"),
        ("conf/lock/{python}/ckan.txt", "conf/lock/{python}/build.txt"),
    ),
    Package("dcor-wheels", "wheels", (), ("conf/lock/{python}/dcor.txt",)),
    Package("dcor-wheels-test", "test", (), ("conf/lock/{python}/test.txt", "conf/lock/{python}/suites.txt")),
    Package("dcor-solr", "solr", ("conf/solr",), (), jars=True),
    Package("dcor-object-store", "object-store", ("conf/object-store",), ("conf/object-store/weed.lock",)),
    Package("dcor-archive-keyring", "keyring", ("debian/po",)),
    Package(
        "dcor-server",
        "server",
        (
            "dcor_pkg",
            "conf/messages",
            "debian/README.Debian",
            "debian/changelog",
            *(f"debian/{it}" for it in DIRECTORIES),
        ),
        for_all_suites=True,
    ),
)


@dataclass(frozen=True)
class Builder:
    """Builds the packages of a suite from a checkout."""

    tree: Path
    suite: str
    extra_inputs: ExtraInputs
    say: Callable[[str], None]

    def build(self, package: Package) -> Path:
        """Return the directory with this package's .deb, built unless the cache has one of the same inputs."""
        version = versions.version(self.tree, package.name, roots.build_root(self.suite))
        name = f"{package.name}-{self.key(package)}"
        if (cache.CACHE / "debs" / name).exists():
            self.say(f"{package.name} {version}: unchanged")
        else:
            self.say(f"{package.name} {version}: building")
        return cache.directory("debs", name, lambda target: self._build(package, target))

    def _sources(self, package: Package) -> list[Path]:
        """Return the files and directories of the checkout that this package is built from."""
        named = [name.format(python=python(self.suite)) for name in (*COMMON, *package.sources, *package.locks)]
        own = sorted(self.tree.glob(f"debian/{package.name}.*")) + sorted(
            self.tree.glob(f"debian/stage/{package.name}")
        )
        found = [path for path in (self.tree / name for name in named) if path.exists()]
        return [*found, *(path for path in own if path.suffix not in GENERATED)]

    def key(self, package: Package) -> str:
        """Return a hash of all inputs of this package."""
        parts: list[str | bytes | Path] = [RECIPE, self.suite, python(self.suite), package.profile]
        parts.append(versions.changelog(self.tree, package.name, roots.build_root(self.suite)))
        parts.append(stanzas((self.tree / "debian/control").read_text(encoding="utf-8"), package.name))
        for path in self._sources(package):
            parts += [str(path.relative_to(self.tree)), path]
        if package.profile == "keyring":
            parts += [part for name, data in sorted(self.extra_inputs.items()) for part in (name, data)]
        return cache.key(*parts)

    def _build(self, package: Package, target: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="build-", dir=cache.CACHE) as name:
            work = Path(name)
            self._lay_out(package, work / "dcor-server")
            self._inputs(package, work / "inputs")
            roots.chroot_run(
                roots.build_root(self.suite),
                *("dpkg-buildpackage", "-b", "-us", "-uc", f"-Ppkg.dcor-server.{package.profile}"),
                read_only={work / "inputs": "/inputs"},
                writable={work: "/build"},
                env={"DCOR_INPUTS": "/inputs", "DEB_BUILD_OPTIONS": "nocheck noautodbgsym"},
                directory="/build/dcor-server",
                log=target / "build.log",
            )
            built = list(work.glob("*.deb"))
            if len(built) != 1:
                raise DevError(f"Building {package.name} produced {len(built)} .deb files instead of one.")
            shutil.copy(built[0], target)

    def _lay_out(self, package: Package, tree: Path) -> None:
        """Create the source tree of this package."""
        for source in self._sources(package):
            place = tree / source.relative_to(self.tree)
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place)
        shutil.copy(self.tree / "debian/control", tree / "debian/control")
        changelog = versions.changelog(self.tree, package.name, roots.build_root(self.suite))
        (tree / "debian/changelog").write_text(changelog, encoding="utf-8")

    def _inputs(self, package: Package, inputs: Path) -> None:
        """Provide the downloads that the build needs, since it has no network."""
        inputs.mkdir(parents=True)
        for lock in package.locks:
            pins = lockfiles.read(self.tree / lock.format(python=python(self.suite)))
            downloads.wheels(self.suite, pins, inputs / "wheels")
        if package.jars:
            downloads.jars(self.tree / "conf/solr/pom.xml", self.tree / "conf/solr/solr.lock", inputs / "jars")
        if package.profile == "keyring":
            for name, data in self.extra_inputs.items():
                (inputs / name).write_bytes(data)


def python(suite: str) -> str:
    """Return the name of the suite's Python, such as python3.11, for which the lock files are made."""
    return str((roots.build_root(suite) / "usr/bin/python3").readlink())


def stanzas(control: str, package: str) -> str:
    """Return the paragraphs of debian/control for the source and for one package. Raises DevError if it has none."""
    paragraphs = control.split("\n\n")
    own = [text for text in paragraphs[1:] if f"Package: {package}\n" in text]
    if not own:
        raise DevError(f"debian/control has no package {package}")
    return "\n\n".join([paragraphs[0], *own])
