"""What `status` says of packages that are half installed, of updates that wait, and of what keeps them from coming."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone

import pytest

from dcor_pkg.kernel import last_converge, pending, updates
from dcor_pkg.machine import package_manager, packages
from dcor_pkg.machine.host import Access, Host
from tests.unit.command_line import CommandLine
from tests.unit.fake_machine import Machine

PUBLIC, DIRECTORY = Access(0o644), Access(0o755)
INDEX = """\
-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

Origin: {origin}
Label: DCOR
Codename: bookworm
Date: Thu, 01 Jan 2026 00:00:00 UTC
Valid-Until: {until}
SHA256:
"""
PAST, FUTURE = "Fri, 02 Jan 2026 00:00:00 UTC", "Fri, 02 Jan 2099 00:00:00 UTC"


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up and healthy."""
    return dcor_server.converged()


def part(server: CommandLine, name: str) -> tuple[int, str, str]:
    """Return the exit code of `status`, and problem and detail of one of its parts."""
    ended = server("status", "--json")
    (found,) = (part for part in ended.json["parts"] if part["name"] == name)
    return ended.code, found["problem"] or "", found["detail"]


def write(host: Host, path: str, text: str, when: float | None = None) -> None:
    """Write a file of the system's, which was changed at a time in seconds since 1970."""
    host.make_directory(path.rpartition("/")[0], DIRECTORY)
    host.write(path, text, PUBLIC)
    if when is not None:
        os.utime(host.path(path), (when, when))


@pytest.mark.parametrize("state", ["half-installed", "unpacked", "half-configured", "triggers-pending"])
def test_a_package_that_dpkg_has_left_half_done_is_named_with_the_commands(server: CommandLine, state: str) -> None:
    server.machine.packages.states["dcor-wheels"] = state
    code, problem, _ = part(server, "updates")
    assert code == 3
    assert problem == f"dcor-wheels is {state}; to go on: dpkg --configure -a, then apt --fix-broken install"
    assert f"! updates {'':30} {problem}" in server("status").lines


def test_packages_that_came_from_files_are_unpacked_again_from_their_copies(server: CommandLine) -> None:
    kept = f"{packages.KEPT}/20260102T000000/dcor-wheels_1_amd64.deb"
    for path in (kept, kept.replace("0102", "0101"), kept.replace("20260102T000000", ".new")):
        write(server.machine.host, path, "")
    for name in ("dcor-wheels", "nginx"):
        server.machine.packages.states[name] = "half-installed"
    assert part(server, "updates")[1].endswith(f"; where apt has no archive of it: dpkg --install {kept}")


def test_a_package_that_has_to_be_installed_again_is_named(server: CommandLine) -> None:
    server.machine.packages.broken.add("nginx")
    commands = "dpkg --configure -a, then apt install --reinstall"
    assert part(server, "updates")[1] == f"nginx is installed (reinstreq); to go on: {commands} nginx"
    server.machine.packages.broken = {"dcor-wheels"}
    assert part(server, "updates")[1].endswith(f"; to go on: {commands} dcor-server dcor-wheels python-ckan")
    server.machine.packages.states["dcor-server"] = "unpacked"
    assert part(server, "updates")[1].endswith(f"; to go on: {commands} dcor-wheels python-ckan")


def test_a_package_that_was_removed_or_is_on_hold_is_not_half_done(server: CommandLine) -> None:
    server.machine.packages.states["nginx"] = "config-files"
    server.machine.packages.held.add("nginx")
    assert part(server, "updates")[:2] == (0, "")


def test_dpkg_that_was_killed_is_named(server: CommandLine) -> None:
    write(server.machine.host, f"{packages.JOURNAL}/0001", "Package: nginx\n")
    code, problem, _ = part(server, "updates")
    assert (code, problem.startswith("dpkg was interrupted; to go on: dpkg --configure -a")) == (3, True)


def test_of_many_packages_some_are_named(server: CommandLine) -> None:
    for number in range(9):
        server.machine.packages.versions[f"lib{number}"] = "1"
        server.machine.packages.states[f"lib{number}"] = "unpacked"
    assert "lib4 is unpacked, 4 more; to go on" in part(server, "updates")[1]


def test_while_apt_works_nothing_is_half_done(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_manager, "is_busy", lambda host: True)
    server.machine.packages.states["nginx"] = "unpacked"
    assert part(server, "updates")[:2] == (0, "")
    assert part(server, "updates")[2].endswith("; apt or dpkg works now")


def test_the_times_of_updates_and_what_waits_are_shown(server: CommandLine) -> None:
    assert part(server, "updates") == (0, "", "looked for never, installed never, none of ours waits")
    looked, upgraded = 1_800_000_000.0, 1_800_000_600.0
    write(server.machine.host, packages.LOOKED, "", looked)
    write(server.machine.host, packages.UPGRADED, "", upgraded)
    server.machine.packages.candidates |= {"python-ckan": "2.11.7-1~deb12u1", "dcor-solr": "(none)"}
    times = [time.strftime("%Y-%m-%d %H:%M", time.localtime(when)) for when in (looked, upgraded)]
    assert part(server, "updates") == (
        *(0, ""),
        f"looked for {times[0]}, installed {times[1]}, python-ckan 2.11.7-1~deb12u1 of ours waits",
    )


def test_a_package_of_ours_on_hold_is_a_notice_that_names_what_it_holds(server: CommandLine) -> None:
    server.machine.packages.held |= {"dcor-wheels", "nginx"}
    ended = server("status", "--json")
    (notice,) = (notice for notice in ended.json["notices"] if "is on hold" in notice["message"])
    assert (ended.code, notice["file"]) == (0, "dcor-wheels")
    assert "so are dcor-server, dcor-wheels, python-ckan" in notice["message"]
    assert notice["hint"] == "To let it go: apt-mark unhold dcor-wheels"


@pytest.mark.parametrize(
    ("origin", "until", "is_told"), [("DCOR", PAST, True), ("DCOR", FUTURE, False), ("Debian", PAST, False)]
)
@pytest.mark.parametrize("name", ["dcor.example.org_dists_bookworm_InRelease", "_media_dcor_dists_bookworm_Release"])
def test_an_index_of_ours_that_has_expired_is_told(
    server: CommandLine, name: str, origin: str, until: str, is_told: bool
) -> None:
    write(server.machine.host, f"{packages.LISTS}/{name}", INDEX.format(origin=origin, until=until))
    ended = server("status")
    assert ended.code == 0
    assert (f"{packages.LISTS}/{name} has expired on 2026-01-02, so apt" in ended.out) is is_told


def test_an_index_without_an_end_never_expires(host: Host) -> None:
    text = INDEX.format(origin="DCOR", until=PAST).replace("Valid-Until", "X-Until")
    write(host, f"{packages.LISTS}/x_InRelease", text)
    assert packages.expired(host, "DCOR", datetime.now(timezone.utc)) == {}


def told(server: CommandLine, file: str) -> list[str]:
    """Return the notices about a file."""
    ended = server("status", "--json")
    assert ended.code == 0
    return [notice["message"] for notice in ended.json["notices"] if notice["file"] == file]


def test_a_signature_that_apt_has_rejected_is_told(server: CommandLine) -> None:
    assert told(server, updates.REJECTED) == []
    write(server.machine.host, updates.REJECTED, "")
    (message,) = told(server, updates.REJECTED)
    assert "apt has rejected the signature of a repository" in message


@pytest.mark.parametrize(
    ("days", "is_automatic", "is_told"), [(3.0, True, True), (1.5, True, False), (3.0, False, False)]
)
def test_updates_that_were_looked_for_in_vain_are_told_where_they_are_automatic(
    server: CommandLine, days: float, is_automatic: bool, is_told: bool
) -> None:
    looked = time.time() - days * 24 * 3600
    write(server.machine.host, packages.LOOKED, "", looked)
    if is_automatic:
        write(server.machine.host, packages.UPGRADED, "")
    messages = told(server, packages.LISTS)
    assert [time.strftime("found on %Y-%m-%d %H:%M", time.localtime(looked)) in it for it in messages] == [
        True
    ] * is_told


def test_packages_that_nobody_could_unpack_again_are_told_with_the_command(server: CommandLine) -> None:
    assert told(server, packages.KEPT) == []
    server.machine.packages.offered.clear()
    (message,) = told(server, packages.KEPT)
    assert message.startswith("has no copy of the packages of this server, and no source of apt has them")
    assert f"ls ./*.deb | sudo {updates.KEEP}" in server("status").out
    write(server.machine.host, f"{packages.KEPT}/20260101T000000/dcor-server_1_all.deb", "")
    assert told(server, packages.KEPT) == []


POLICY = """\
dcor-server:
  Installed: 0.1.1
  Candidate: {candidate}
  Version table:
 *** 0.1.1 {sources}
        100 /var/lib/dpkg/status
     0.1.0 500
        500 https://apt.example.org/dcor bookworm/main amd64 Packages
"""
SOURCE_OF_OURS = "500\n        500 https://apt.example.org/dcor bookworm/main amd64 Packages"


@pytest.mark.parametrize(
    ("sources", "candidate", "has_archive"),
    [("100", "0.1.1", False), (SOURCE_OF_OURS, "0.1.1", True), ("100", "0.1.2", True)],
)
def test_a_source_with_the_installed_version_or_a_newer_one_has_an_archive(
    machine: Machine, sources: str, candidate: str, has_archive: bool
) -> None:
    machine.programs["apt-cache"] = lambda call: POLICY.format(sources=sources, candidate=candidate)
    assert packages.has_archive(machine.host, "dcor-server") is has_archive


LOG_OF_A_RUN = """\
2026-01-02 06:12:12,345 INFO Starting unattended upgrades script
2026-01-02 06:12:13,345 INFO Packages that will be upgraded: dcor-server
"""
MISMATCH = "2026-01-02 06:12:14,345 ERROR An error occurred: Hash Sum mismatch\n"
NO_MAIL = "2026-01-02 06:12:15,345 ERROR No /usr/bin/mail or /usr/sbin/sendmail, can not send mail.\n"


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("", False),
        (LOG_OF_A_RUN, False),
        (LOG_OF_A_RUN + NO_MAIL, False),
        (LOG_OF_A_RUN + MISMATCH, True),
        (LOG_OF_A_RUN + MISMATCH + LOG_OF_A_RUN, True),
        (LOG_OF_A_RUN + MISMATCH + 2 * LOG_OF_A_RUN, False),
    ],
    ids=["no log", "well", "not mailed", "failed", "then downloaded", "then downloaded and installed"],
)
def test_an_error_of_the_last_runs_is_told_in_its_words(server: CommandLine, text: str, is_told: bool) -> None:
    write(server.machine.host, packages.UNATTENDED_LOG, text)
    said = ["says that updates were not installed: An error occurred: Hash Sum mismatch"]
    assert told(server, packages.UNATTENDED_LOG) == said * is_told


def test_a_reboot_that_is_needed_is_told_with_the_setting(server: CommandLine) -> None:
    write(server.machine.host, packages.REBOOT, "*** System restart required ***\n")
    write(server.machine.host, packages.REBOOT_PACKAGES, "linux-image-amd64\nlibc6\nlibc6\n")
    ended = server("status")
    assert (ended.code, "a reboot is needed by libc6, linux-image-amd64" in ended.out) == (0, True)
    assert "dcor-server set automatic-reboot=04:30" in ended.out


def test_the_release_that_is_wanted_is_shown_with_the_reason_why_another_one_runs(server: CommandLine) -> None:
    host = server.machine.host
    running = part(server, "release")[2]
    server.machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    shown = part(server, "release")
    assert shown[:2] == (0, "")
    assert shown[2].startswith(f"runs {running}, wanted 2.11.7-")
    assert shown[2].endswith(", because there was no converge since it is wanted")
    pending.request(host, pending.UPGRADE)
    assert "dcor-converge.service makes the release when apt has ended" in part(server, "release")[2]
    pending.clear(host, pending.UPGRADE)
    last_converge.record(host, "release: the disk is full")
    assert part(server, "release")[2].endswith(", because release: the disk is full")


def test_a_release_that_cannot_be_computed_is_a_problem_with_its_reason(server: CommandLine) -> None:
    server.machine.host.remove("/usr/share/dcor-wheels/requirements.txt")
    code, problem, _ = part(server, "release")
    assert (code, problem) == (3, "/usr/share/dcor-wheels/requirements.txt is missing.")


def test_packages_for_another_debian_are_told(server: CommandLine) -> None:
    assert "is for Debian" not in server("status").out
    server.machine.host.write(packages.OS_RELEASE, 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\n', PUBLIC)
    told = server("status").out
    assert "dcor-wheels is for Debian 12, and this is Debian 13\n    apt update, then: apt full-upgrade." in told
    server.machine.packages.versions |= {
        name: version.replace("12", "13") for name, version in server.machine.packages.versions.items()
    }
    assert "is for Debian" not in server("status").out
