"""What unattended-upgrades is told, as apt reads it: by Debian's program, with files of others beside it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.settings import InvalidAnswer
from dcor_pkg.kernel import updates
from dcor_pkg.machine.host import Host

#: what unattended-upgrades has in 50unattended-upgrades, and what its question writes after a "no"
DEBIAN = 'Unattended-Upgrade::Origins-Pattern { "origin=Debian,codename=${distro_codename},label=Debian-Security"; };\n'
DECLINED = 'APT::Periodic::Update-Package-Lists "0";\nAPT::Periodic::Unattended-Upgrade "0";\n'


def configuration(host: Host, tmp_path: Path, answers: dict[str, str], **others: str) -> str:
    """Return all that apt knows with our file and those of others, by their names."""
    (step,) = updates.steps(settings.parse({"email": "admin@example.org", **answers}))
    parts = tmp_path / "apt.conf.d"
    parts.mkdir()
    for name, text in {Path(step.path).name: step.text(host), "50unattended-upgrades": DEBIAN, **others}.items():
        (parts / name).write_text(text)
    main = tmp_path / "main.conf"
    main.write_text(f'Dir::Etc::parts "{parts}/";\nDir::Etc::main "/dev/null";\n')
    read = subprocess.run(
        ["apt-config", "dump"], env={**os.environ, "APT_CONFIG": str(main)}, capture_output=True, text=True, check=True
    )
    assert read.stderr == ""
    return read.stdout


def test_our_repository_is_added_to_debians(host: Host, tmp_path: Path) -> None:
    origins = [line for line in configuration(host, tmp_path, {}).splitlines() if "Origins-Pattern::" in line]
    assert [line.partition('"')[2] for line in origins] == [
        'origin=DCOR,label=DCOR,codename=${distro_codename}";',
        'origin=Debian,codename=${distro_codename},label=Debian-Security";',
    ]


def test_updates_are_looked_for_and_installed_each_day_without_an_answer_to_debians_question(
    host: Host, tmp_path: Path
) -> None:
    read = configuration(host, tmp_path, {})
    assert 'APT::Periodic::Update-Package-Lists "1";' in read
    assert 'APT::Periodic::Unattended-Upgrade "1";' in read


@pytest.mark.parametrize("name", ["10periodic", "20auto-upgrades", "99mine"])
def test_an_administrator_who_declines_wins(host: Host, tmp_path: Path, name: str) -> None:
    read = configuration(host, tmp_path, {}, **{name: DECLINED})
    assert 'APT::Periodic::Unattended-Upgrade "0";' in read
    assert 'APT::Periodic::Unattended-Upgrade "1";' not in read


def test_the_administrator_is_told_of_changes(host: Host, tmp_path: Path) -> None:
    read = configuration(host, tmp_path, {"email": "o'neill+{$a}#b@example.org"})
    assert 'Unattended-Upgrade::Mail "o\'neill+{$a}#b@example.org";' in read
    assert 'Unattended-Upgrade::MailReport "on-change";' in read


def test_a_signature_that_is_rejected_is_noted_until_apt_looks_again(host: Host, tmp_path: Path) -> None:
    read = configuration(host, tmp_path, {})
    hooks = dict(re.findall(r'^APT::Update::([\w-]+):: "(.*)";$', read, re.MULTILINE))
    state = tmp_path / Path(updates.REJECTED).parent.relative_to("/")
    marker = state / Path(updates.REJECTED).name

    def run(hook: str) -> None:
        script = hooks[hook].replace(str(Path(updates.REJECTED).parent), str(state))
        subprocess.run(["sh", "-euc", script], check=True)

    run("Auth-Failure")  # after a removal the directory may be gone
    assert not state.exists()
    state.mkdir(parents=True)
    run("Auth-Failure")
    assert marker.exists()
    run("Pre-Invoke")
    run("Pre-Invoke")
    assert not marker.exists()


@pytest.mark.parametrize(("answer", "expected"), [("no", {"false"}), ("04:30", {"true", "04:30"})])
def test_the_machine_reboots_only_when_the_setting_says_so(
    host: Host, tmp_path: Path, answer: str, expected: set[str]
) -> None:
    read = configuration(host, tmp_path, {"automatic-reboot": answer})
    lines = [line for line in read.splitlines() if line.startswith("Unattended-Upgrade::Automatic-Reboot")]
    assert {line.split('"')[1] for line in lines} == expected


@pytest.mark.parametrize("answer", ["yes", "4:30", "24:00", "04:60", "0430", "now"])
def test_what_is_no_time_of_day_is_refused(answer: str) -> None:
    with pytest.raises(InvalidAnswer, match="is not a time of day"):
        settings.parse({"automatic-reboot": answer})
