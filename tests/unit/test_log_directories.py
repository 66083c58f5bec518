"""Each directory of logs that a program of this server needs is made at boot, so that /var/log may be in memory."""

from __future__ import annotations

import re
from pathlib import Path

from dcor_pkg.kernel import log_directories

TREE = Path(__file__).resolve().parents[2]
DECLARED = (TREE / "debian/dcor-server.tmpfiles").read_text(encoding="utf-8")
#: what else makes one: Solr's unit (LogsDirectory=), the package of PostgreSQL (its tmpfiles.d), unattended-upgrade
MADE = {"dcor-solr", "postgresql", "unattended-upgrades"}
#: of Debian's own supervisor, which stays as it is
OF_DEBIAN = {"supervisor"}


def named() -> set[str]:
    """Return the directories below /var/log that code, templates and units of ours name."""
    places = [*(TREE / "dcor_pkg").rglob("*"), *(TREE / "debian").rglob("*.service"), TREE / "conf/solr/log4j2.xml"]
    texts = [file.read_text(encoding="utf-8") for file in places if file.is_file() and file.suffix != ".pyc"]
    return {name for text in texts for name in re.findall(r"/var/log/([a-z-]+)/?", text)}


def test_each_directory_that_we_name_is_made_by_somebody() -> None:
    declared = {
        Path(path).relative_to(log_directories.PREFIX).parts[0] for path in log_directories.DECLARED.findall(DECLARED)
    }
    assert declared - OF_DEBIAN == named() - MADE


def test_what_exists_keeps_its_access() -> None:
    """A colon before mode, user and group says so (tmpfiles.d(5), "Mode" and "User, Group")."""
    lines = [line.split() for line in DECLARED.splitlines() if log_directories.PREFIX in line and line[0] in "df"]
    assert len(lines) >= 7
    assert {word[0] for line in lines for word in line[2:]} == {":"}
