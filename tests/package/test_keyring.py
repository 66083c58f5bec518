"""The keyring with the real dpkg, debconf and apt, in a Debian that is not booted: what was a conffile, and is not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dcor_dev import roots
from deb import Deb

SOURCE = "/etc/apt/sources.list.d/dcor.sources"

#: Installs a package as former versions were, with the source as a conffile.
FORMER = f"""
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
mkdir -p /former/DEBIAN /former/etc/apt/sources.list.d
printf '%s\\n' 'Package: dcor-archive-keyring' 'Version: 2026.11-1~deb12u1' 'Architecture: all' \\
    'Maintainer: a <a@example.org>' 'Description: x' >/former/DEBIAN/control
echo {SOURCE} >/former/DEBIAN/conffiles
printf '%s\\n' '# The repository of DCOR servers.' 'Enabled: no' 'Types: deb' 'URIs: https://repository.invalid/' \\
    "Suites: $(. /etc/os-release; echo $VERSION_CODENAME)" 'Components: main' \\
    'Signed-By: /usr/share/keyrings/dcor-archive-keyring.gpg' >/former{SOURCE}
dpkg-deb --build /former >/dev/null
dpkg --install /former.deb >/dev/null
"""

#: Changes the source as an administrator does, and prints what differs after an upgrade.
EDIT = f"sed -i 's/^Enabled: no/Enabled: yes/; s,^URIs:.*,URIs: file:/srv/mirror,; 1s/$/ Ours./' {SOURCE}"
UPGRADE = f"cp {SOURCE} /before; dpkg --install /keyring.deb </dev/null >/dev/null; diff /before {SOURCE}"

#: Prints the lines that matter of the source.
SHOW = f"grep -E '^(Enabled|URIs|Suites)' {SOURCE}"


def run(suite: str, content: dict[str, Deb], script: str) -> str:
    """Run a script in a minimal Debian with the package of the keyring; return what it prints."""
    deb = content["dcor-archive-keyring"].path
    done = roots.chroot_run(
        roots.base(suite),
        *("sh", "-euc", "export LC_ALL=C DEBIAN_FRONTEND=noninteractive\n" + script),
        read_only={deb: "/keyring.deb"},
    )
    return done.stdout


def test_an_edited_conffile_of_a_former_version_is_kept_without_a_question_and_gone_after_a_purge(
    suite: str, content: dict[str, Deb]
) -> None:
    script = f"{FORMER}\n{EDIT}\n{UPGRADE}\necho kept\ndpkg --purge dcor-archive-keyring >/dev/null\nls {SOURCE} || echo gone"
    assert run(suite, content, f"exec 2>&1\n{script}").splitlines()[-3::2] == ["kept", "gone"]


def test_an_unedited_conffile_is_taken_over_and_a_later_version_changes_nothing(
    suite: str, content: dict[str, Deb]
) -> None:
    """The same package is installed again, as dpkg does with a later one that has other texts."""
    output = run(suite, content, f"{FORMER}\n{UPGRADE}\n{EDIT}\n{UPGRADE}\necho kept twice")
    assert output.endswith("kept twice\n")


def test_a_preseed_is_the_address_and_a_later_one_counts_only_while_there_is_none(
    suite: str, content: dict[str, Deb]
) -> None:
    preseed = "echo dcor-archive-keyring dcor-archive-keyring/repository string {} | debconf-set-selections\n"
    script = f"""
dpkg --install /keyring.deb >/dev/null; {SHOW}
{preseed.format("file:/srv/one")} dpkg-reconfigure dcor-archive-keyring; {SHOW}
{preseed.format("file:/srv/two")} dpkg-reconfigure dcor-archive-keyring; {SHOW}
dpkg --purge dcor-archive-keyring >/dev/null 2>&1
{preseed.format("file:/srv/two")} dpkg --install /keyring.deb >/dev/null; {SHOW}
"""
    none = ["Enabled: no", "URIs: https://repository.invalid/", f"Suites: {suite}"]
    one, two = (["Enabled: yes", f"URIs: file:/srv/{name}", f"Suites: {suite}"] for name in ("one", "two"))
    assert run(suite, content, script).splitlines() == [*none, *one, *one, *two]


def test_an_upgrade_of_debian_triggers_the_new_suite(suite: str, content: dict[str, Deb]) -> None:
    """base-files brings /usr/lib/os-release; here an empty package with that file does."""
    script = f"""
dpkg --install /keyring.deb >/dev/null
mkdir -p /next/DEBIAN /next/usr/lib
sed 's/^VERSION_CODENAME=.*/VERSION_CODENAME=forky/' /usr/lib/os-release >/next/usr/lib/os-release
printf '%s\\n' 'Package: next' 'Version: 1' 'Architecture: all' 'Maintainer: a <a@example.org>' 'Replaces: base-files' \\
    'Description: x' >/next/DEBIAN/control
dpkg-deb --build /next >/dev/null
dpkg --install /next.deb >/dev/null; {SHOW}
dpkg --audit
"""
    assert run(suite, content, script).splitlines()[-1] == "Suites: forky"


def test_a_removed_keyring_does_not_make_apt_fail(suite: str, content: dict[str, Deb]) -> None:
    script = f"""
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo dcor-archive-keyring dcor-archive-keyring/repository string file:/srv/none | debconf-set-selections
dpkg --install /keyring.deb >/dev/null
apt-get update >/dev/null 2>&1 && echo no source
dpkg --remove dcor-archive-keyring >/dev/null; apt-get update >/dev/null && echo updated
dpkg --install /keyring.deb >/dev/null; {SHOW}
"""
    wanted = ["updated", "Enabled: yes", "URIs: file:/srv/none", f"Suites: {suite}"]
    assert run(suite, content, script).splitlines() == wanted


def test_the_questions_are_in_german_as_well(content: dict[str, Deb], tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--control", str(content["dcor-archive-keyring"].path), str(tmp_path)], check=True)
    templates = (tmp_path / "templates").read_text(encoding="utf-8")
    assert templates.count("Template: ") == 2
    assert len(re.findall(r"^Description:", templates, re.MULTILINE)) == 2
    assert len(re.findall(r"^Description-de\.UTF-8:", templates, re.MULTILINE)) == 2


@pytest.mark.parametrize("name", ["config", "postinst", "postrm"])
def test_the_scripts_are_whole(content: dict[str, Deb], tmp_path: Path, name: str) -> None:
    subprocess.run(["dpkg-deb", "--control", str(content["dcor-archive-keyring"].path), str(tmp_path)], check=True)
    assert "#DEBHELPER#" not in (tmp_path / name).read_text()
    assert (name == "postrm") != ("usable() {" in (tmp_path / name).read_text())
