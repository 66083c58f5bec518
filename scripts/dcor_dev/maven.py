"""Resolve the jars of Solr by Maven, and write down which they are and under which licence they come."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from dcor_dev import tools
from dcor_dev.errors import DevError

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

#: Every file below the folders that its coordinates give, with its POM and the POMs that those inherit from.
LAYOUT = ("-Dmdep.useRepositoryLayout=true", "-Dmdep.copyPom=true", "-Dmdep.addParentPoms=true")

NAMESPACE = "{http://maven.apache.org/POM/4.0.0}"


def copy(project: Path, folder: Path, *options: str) -> None:
    """Fetch the jars that a pom.xml asks for into a folder."""
    tools.need("mvn")
    shutil.copy(project, folder / "pom.xml")
    argv = ["mvn", "--batch-mode", "--quiet", PLUGIN, "-DincludeScope=runtime", f"-DoutputDirectory={folder}", *options]
    tools.run(f"Maven does not fetch what {project} names", *argv, folder=folder)


def lock(folder: Path) -> None:
    """Write solr.lock (as sha256sum does, with paths of a Maven repository) and licences.tsv beside a pom.xml."""
    with tempfile.TemporaryDirectory(prefix="maven-") as name:
        repository = Path(name)
        copy(folder / "pom.xml", repository, *LAYOUT)
        jars = sorted(repository.rglob("*.jar"), key=lambda jar: str(jar.relative_to(repository)))
        hashes = [f"{_sha256(jar)}  {jar.relative_to(repository)}\n" for jar in jars]
        licences = [f"{_coordinates(repository, jar)}\t{licence(repository, jar.parent)}\n" for jar in jars]
    (folder / "solr.lock").write_text("".join(hashes), encoding="utf-8")
    (folder / "licences.tsv").write_text("".join(licences), encoding="utf-8")


def licence(repository: Path, folder: Path) -> str:
    """Return the licences that a POM names, or else those of the POM that it inherits from."""
    (pom,) = folder.glob("*.pom")
    tree = ElementTree.parse(pom).getroot()  # noqa: S314 (Maven has read it before)
    space = NAMESPACE if tree.tag.startswith("{") else ""
    names = [(each.findtext(f"{space}name") or "").strip() for each in tree.iter(f"{space}license")]
    if names:
        return " OR ".join(names)
    parent = tree.find(f"{space}parent")
    if parent is None:
        raise DevError(f"{pom} says nothing of a licence.")
    group, artifact, version = (
        (parent.findtext(f"{space}{part}") or "").strip() for part in ("groupId", "artifactId", "version")
    )
    return licence(repository, repository / group.replace(".", "/") / artifact / version)


def _coordinates(repository: Path, jar: Path) -> str:
    *group, artifact, version, _ = jar.relative_to(repository).parts
    return f"{'.'.join(group)}:{artifact}:{version}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
