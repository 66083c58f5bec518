"""Resolve the jars of Solr with Maven, and write the lock file and the list of their licences."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from dcor_dev import tools
from dcor_dev.errors import DevError

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

#: Store each jar in the directory of its coordinates, with its POM and the parents of that.
LAYOUT = ("-Dmdep.useRepositoryLayout=true", "-Dmdep.copyPom=true", "-Dmdep.addParentPoms=true")

NAMESPACE = "{http://maven.apache.org/POM/4.0.0}"


def copy(project: Path, directory: Path, *options: str) -> None:
    """Download the jars that a pom.xml resolves to into a directory."""
    tools.need("mvn")
    shutil.copy(project, directory / "pom.xml")
    argv = [
        "mvn",
        "--batch-mode",
        "--quiet",
        PLUGIN,
        "-DincludeScope=runtime",
        f"-DoutputDirectory={directory}",
        *options,
    ]
    tools.run(f"Downloading the dependencies of {project} failed", *argv, directory=directory)


def lock(directory: Path) -> None:
    """Write solr.lock (in the format of sha256sum, with the paths of a Maven repository) and licences.tsv."""
    with tempfile.TemporaryDirectory(prefix="maven-") as name:
        repository = Path(name)
        copy(directory / "pom.xml", repository, *LAYOUT)
        jars = sorted(repository.rglob("*.jar"), key=lambda jar: str(jar.relative_to(repository)))
        hashes = [f"{_sha256(jar)}  {jar.relative_to(repository)}\n" for jar in jars]
        licences = [f"{_coordinates(repository, jar)}\t{licence(repository, jar.parent)}\n" for jar in jars]
    (directory / "solr.lock").write_text("".join(hashes), encoding="utf-8")
    (directory / "licences.tsv").write_text("".join(licences), encoding="utf-8")


def licence(repository: Path, directory: Path) -> str:
    """Return the licences in a POM, or else those in its parent. Raises DevError when there are none."""
    (pom,) = directory.glob("*.pom")
    tree = ElementTree.parse(pom).getroot()  # noqa: S314 (Maven has parsed it before)
    space = NAMESPACE if tree.tag.startswith("{") else ""
    names = [(each.findtext(f"{space}name") or "").strip() for each in tree.iter(f"{space}license")]
    if names:
        return " OR ".join(names)
    parent = tree.find(f"{space}parent")
    if parent is None:
        raise DevError(f"{pom} does not name a licence.")
    group, artifact, version = (
        (parent.findtext(f"{space}{part}") or "").strip() for part in ("groupId", "artifactId", "version")
    )
    return licence(repository, repository / group.replace(".", "/") / artifact / version)


def _coordinates(repository: Path, jar: Path) -> str:
    *group, artifact, version, _ = jar.relative_to(repository).parts
    return f"{'.'.join(group)}:{artifact}:{version}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
