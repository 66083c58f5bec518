"""The licence of a jar is in its POM, or in the parent of that."""

from __future__ import annotations

from pathlib import Path

import pytest
from dcor_dev import maven
from dcor_dev.errors import DevError

PARENT = "<parent><groupId>org.example</groupId><artifactId>parent</artifactId><version>1</version></parent>"
LICENCES = "<licenses><license><name> Apache-2.0 </name></license><license><name>EPL 2.0</name></license></licenses>"
MAVEN = 'xmlns="http://maven.apache.org/POM/4.0.0"'


def _pom(repository: Path, artifact: str, text: str) -> Path:
    directory = repository / "org/example" / artifact / "1"
    directory.mkdir(parents=True)
    (directory / f"{artifact}-1.pom").write_text(text, encoding="utf-8")
    return directory


@pytest.mark.parametrize("namespace", ["", MAVEN])
def test_the_licences_in_the_pom_are_used(tmp_path: Path, namespace: str) -> None:
    directory = _pom(tmp_path, "part", f"<project {namespace}>{PARENT}{LICENCES}</project>")
    assert maven.licence(tmp_path, directory) == "Apache-2.0 OR EPL 2.0"


def test_without_licences_those_of_the_parent_are_used(tmp_path: Path) -> None:
    _pom(tmp_path, "parent", f"<project>{LICENCES}</project>")
    directory = _pom(tmp_path, "part", f"<project>{PARENT}</project>")
    assert maven.licence(tmp_path, directory) == "Apache-2.0 OR EPL 2.0"


def test_a_missing_licence_is_an_error(tmp_path: Path) -> None:
    directory = _pom(tmp_path, "part", "<project/>")
    with pytest.raises(DevError, match="does not name a licence"):
        maven.licence(tmp_path, directory)
