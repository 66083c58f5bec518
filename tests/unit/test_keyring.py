"""The keyring's source of packages: from a question, the administrator's from then on, and never in the way of apt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.keyring_machine import FORMER, KEYRING, SOURCE, KeyringMachine

ADDRESS = "https://apt.example.org/dcor/"
OTHER = "https://mirror.example.org/dcor/"


@pytest.fixture
def machine(tmp_path: Path) -> KeyringMachine:
    """Return a machine with a package that was built without an address."""
    return KeyringMachine(tmp_path)


@pytest.fixture
def with_address(tmp_path: Path) -> KeyringMachine:
    """Return a machine with a package that was built with an address."""
    return KeyringMachine(tmp_path, ADDRESS)


def target(address: str = ADDRESS, suite: str = "bookworm") -> list[str]:
    return [f"{address}dists/{suite}/InRelease"]


def formerly(machine: KeyringMachine, *edits: tuple[str, str]) -> KeyringMachine:
    """Let the machine have the conffile of a former version, which dpkg leaves where it is, with these edits."""
    machine.path(SOURCE).write_text(FORMER)
    for old, new in edits:
        machine.edit(old, new)
    return machine


def test_without_an_address_the_source_is_turned_off(machine: KeyringMachine) -> None:
    assert machine.install() == ""
    assert "\nEnabled: no\n" in machine.source
    assert machine.source.endswith(f"\nSigned-By: {KEYRING}\n")
    assert machine.targets() == []


def test_the_address_of_the_build_is_used_unless_another_is_answered(with_address: KeyringMachine) -> None:
    assert with_address.install() == ""
    assert with_address.targets() == target()


@pytest.mark.parametrize(("answer", "wanted"), [(OTHER, target(OTHER)), ("none", [])])
def test_a_preseed_wins_over_the_address_of_the_build(
    with_address: KeyringMachine, answer: str, wanted: list[str]
) -> None:
    with_address.preseed(answer)
    assert with_address.install() == ""
    assert with_address.targets() == wanted


def test_an_answer_is_the_address(machine: KeyringMachine) -> None:
    assert machine.install("file:/media/dcor/") == ""
    assert machine.debconf("asked") == ["medium"]
    assert machine.targets() == target("file:/media/dcor/")


@pytest.mark.parametrize(
    "answer",
    [
        *("apt.example.org", "https:", "htps://apt.example.org/", "ftp://apt.example.org/", "/media/dcor"),
        *("none none", "../../x:/y", "Https://apt.example.org/", "https://apt.example.org/ x"),
    ],
)
def test_an_address_that_apt_cannot_use_is_asked_again_and_reaches_no_source(
    machine: KeyringMachine, answer: str
) -> None:
    """Apt would fail at each update, security updates of Debian included."""
    assert machine.install(answer, ADDRESS) == ""
    assert machine.debconf("rejected") == [answer]
    assert machine.debconf("errors") == ["critical"]
    assert machine.targets() == target()


def test_a_preseed_that_apt_cannot_use_keeps_neither_the_package_nor_apt_from_working(machine: KeyringMachine) -> None:
    """An unconfigured package ends each run of apt with an error, and dpkg-reconfigure refuses it."""
    machine.preseed("apt.example.org")
    said = machine.install()
    assert 'apt cannot use the address "apt.example.org"' in said
    assert said.endswith("dpkg-reconfigure dcor-archive-keyring\n")
    assert "\nEnabled: no\n" in machine.source
    assert machine.targets() == []
    assert "exit code" not in machine.upgrade()
    assert machine.reconfigure(ADDRESS) == ""
    assert machine.targets() == target()


@pytest.mark.parametrize(
    "answer", ["http://[::1]:8080/dcor", "https://a.example.org/x:/y", "file:/media/dcor", f"{ADDRESS} {OTHER}"]
)
def test_an_address_that_apt_can_use_is_accepted(machine: KeyringMachine, answer: str) -> None:
    assert machine.install(answer) == ""
    assert machine.debconf("rejected") == []
    assert f"\nURIs: {answer}\n" in machine.source


def test_the_source_keeps_its_permissions_and_its_place(with_address: KeyringMachine) -> None:
    """The address may have a password, or the file be in a repository of the administrator's."""
    with_address.install()
    source, place = with_address.path(SOURCE), with_address.path("/mine")
    assert source.stat().st_mode & 0o777 == 0o644
    source.rename(place).chmod(0o640)
    source.symlink_to(place)
    with_address.is_debian("trixie")
    with_address.trigger()
    assert source.is_symlink()
    assert place.stat().st_mode & 0o777 == 0o640
    assert with_address.targets() == target(suite="trixie")


def test_special_characters_of_an_address_stay(machine: KeyringMachine) -> None:
    machine.install()
    address = r"https://user:a&b|c\1$x@apt.example.org/*/"
    assert machine.reconfigure(address) == ""
    assert f"\nURIs: {address}\n" in machine.source


@pytest.mark.parametrize(
    "edit",
    [
        ("Enabled: yes", "Enabled: no"),
        ("Enabled: yes\n", ""),
        (ADDRESS, OTHER),
        (ADDRESS, f"{ADDRESS} {OTHER}"),
        ("Components: main", "Components: main\nTrusted: yes"),
        ("# The repository", "# My repository"),
        ("Suites: bookworm", "Suites: bookworm-test"),
        ("Suites: bookworm", "Suites: bookworm bookworm-test"),
    ],
)
def test_an_edit_stays_over_upgrades_which_ask_nothing(with_address: KeyringMachine, edit: tuple[str, str]) -> None:
    with_address.install()
    with_address.edit(*edit)
    before = with_address.source
    for _ in range(2):
        assert with_address.upgrade("https://nobody.answers.example.org/") == ""
        with_address.trigger()
    assert with_address.source == before
    assert with_address.debconf("asked") == []


def test_a_source_that_the_administrator_removed_stays_removed(with_address: KeyringMachine) -> None:
    with_address.install()
    with_address.path(SOURCE).unlink()
    assert with_address.upgrade() == ""
    with_address.trigger()
    assert not with_address.path(SOURCE).exists()
    with_address.reconfigure(ADDRESS)
    assert with_address.targets() == target()


def test_the_suite_follows_debian_by_a_trigger(with_address: KeyringMachine) -> None:
    with_address.install()
    before = with_address.source
    with_address.is_debian("trixie")
    with_address.trigger()
    assert with_address.source == before.replace("Suites: bookworm", "Suites: trixie")
    assert with_address.targets() == target(suite="trixie")
    with_address.is_debian("forky")
    with_address.upgrade()
    assert with_address.targets() == target(suite="forky")


def test_a_suite_that_was_changed_before_debian_is_followed_again_afterwards(with_address: KeyringMachine) -> None:
    """Whoever upgrades Debian changes the suite of all sources first."""
    with_address.install()
    with_address.edit("Suites: bookworm", "Suites: trixie")
    with_address.trigger()
    assert with_address.targets() == target(suite="trixie")
    for codename in ("trixie", "forky"):
        with_address.is_debian(codename)
        with_address.trigger()
        assert with_address.targets() == target(suite=codename)


def test_a_suite_of_the_administrators_stays_when_debian_changes(with_address: KeyringMachine) -> None:
    with_address.install()
    with_address.edit("Suites: bookworm", "Suites: testing")
    with_address.is_debian("trixie")
    with_address.trigger()
    with_address.upgrade()
    assert with_address.targets() == target(suite="testing")


def test_an_unedited_former_conffile_is_taken_over(machine: KeyringMachine) -> None:
    formerly(machine)
    assert machine.upgrade() == ""
    assert machine.source == FORMER
    machine.is_debian("trixie")
    machine.trigger()
    assert machine.source == FORMER.replace("bookworm", "trixie")


def test_a_former_conffile_without_an_address_gets_that_of_the_build(with_address: KeyringMachine) -> None:
    formerly(with_address)
    assert with_address.upgrade() == ""
    assert with_address.targets() == target()


def test_none_was_answered_and_a_build_with_an_address_changes_nothing(with_address: KeyringMachine) -> None:
    with_address.preseed("none")
    with_address.install()
    before = with_address.source
    assert with_address.upgrade() == ""
    assert with_address.source == before


@pytest.mark.parametrize("enabled", ["yes", "no"])
def test_an_edited_former_conffile_keeps_its_edits(with_address: KeyringMachine, enabled: str) -> None:
    edits = (("Enabled: no", f"Enabled: {enabled}"), ("https://repository.invalid/", OTHER), ("# The", "# Our"))
    formerly(with_address, *edits)
    before = with_address.source
    assert with_address.upgrade() == ""
    assert with_address.source == before
    assert with_address.targets() == (target(OTHER) if enabled == "yes" else [])


def test_a_former_conffile_of_another_debian_follows(machine: KeyringMachine) -> None:
    formerly(machine, ("Enabled: no", "Enabled: yes"), ("https://repository.invalid/", OTHER))
    machine.is_debian("trixie")
    assert machine.upgrade() == ""
    assert machine.targets() == target(OTHER, "trixie")


def test_a_reconfiguration_changes_the_lines_that_it_asks_for_alone(machine: KeyringMachine) -> None:
    machine.install(ADDRESS)
    machine.edit("Components: main", "Components: main\nBy-Hash: force")
    assert machine.reconfigure(OTHER) == ""
    assert machine.targets() == target(OTHER)
    assert "\nBy-Hash: force\n" in machine.source
    assert machine.reconfigure("none") == ""
    assert machine.targets() == []
    assert f"\nURIs: {OTHER}\n" in machine.source
    assert machine.reconfigure(ADDRESS) == ""
    assert machine.targets() == target()


def test_a_reconfiguration_proposes_what_the_file_says(machine: KeyringMachine) -> None:
    machine.install(ADDRESS)
    machine.edit(ADDRESS, OTHER)
    before = machine.source
    assert machine.reconfigure() == ""
    assert machine.debconf("value") == [OTHER]
    assert machine.source == before
    machine.edit("Enabled: yes", "Enabled: no")
    assert machine.reconfigure() == ""
    assert machine.debconf("value") == ["none"]


def test_a_source_in_a_form_of_its_own_is_left_alone(machine: KeyringMachine) -> None:
    machine.install(ADDRESS)
    two = machine.source + "\n" + machine.source.replace(ADDRESS, OTHER)
    machine.path(SOURCE).write_text(two)
    machine.is_debian("trixie")
    machine.trigger()
    assert machine.upgrade() == ""
    assert "is in a form of your own, and was not changed" in machine.reconfigure("none")
    assert machine.source == two


def test_after_a_removal_apt_has_no_source_without_a_key_and_a_new_installation_gives_it_back(
    machine: KeyringMachine,
) -> None:
    machine.install(ADDRESS)
    machine.edit(ADDRESS, OTHER)
    before = machine.source
    machine.remove()
    assert machine.targets() == []
    machine.is_debian("trixie")
    assert machine.upgrade() == ""
    assert machine.source == before.replace("Suites: bookworm", "Suites: trixie")


def test_a_purge_removes_all_of_it_and_no_source_of_others(machine: KeyringMachine) -> None:
    machine.install(ADDRESS)
    machine.purge()
    assert not machine.path(SOURCE).exists()
    assert not machine.path("/var/lib/dcor-archive-keyring").exists()
    formerly(machine, (KEYRING, "/etc/apt/my-keys.gpg"))
    machine.purge()
    assert machine.path(SOURCE).exists()


def test_a_purge_of_a_former_conffile_that_was_never_taken_over_removes_it(machine: KeyringMachine) -> None:
    formerly(machine).purge()
    assert not machine.path(SOURCE).exists()
