"""The postinst: what dpkg gets as exit code, what is printed, and what is done."""

from __future__ import annotations

import time

import pytest

from dcor_pkg import maintainer
from dcor_pkg.answers import settings_text
from dcor_pkg.ckan import release, supervisor
from dcor_pkg.kernel import after_upgrade, last_converge, pending, settings_file, updates
from dcor_pkg.machine import error_boundary, lock, package_manager
from dcor_pkg.machine.host import Access
from dcor_pkg.tls import self_signed, x509_properties
from tests.unit.command_line import ANSWERS
from tests.unit.dpkg import DEBHELPER, Dpkg
from tests.unit.fake_programs.call import Call

BROKEN = "tar: Unexpected EOF in archive"


def reconfigure(dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> int:
    """Run the postinst as dpkg-reconfigure does."""
    monkeypatch.setenv("DEBCONF_RECONFIGURE", "1")
    dpkg.preseed({**ANSWERS, **answers})
    return dpkg.postinst("configure", "1.0.0")


def test_a_first_installation_sets_up_the_server_and_starts_the_timers_last(dpkg: Dpkg) -> None:
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("configure", "") == 0
    assert dpkg.connection is not None
    assert not dpkg.connection.is_open
    assert settings_file.load(dpkg.host).hostname == "dcor.example.org"
    assert set(supervisor.states(dpkg.host).values()) == {supervisor.RUNNING}
    *_, trust, last, sysadmin, timers = dpkg.out.splitlines()
    certificate = x509_properties.load_chain(dpkg.host.read(self_signed.PAIR.certificate) or "")[0]
    assert "https://dcor.example.org/trust shows how" in trust
    assert trust.endswith(f"in another way: {x509_properties.fingerprint(certificate)}")
    assert last.startswith("dcor-server: https://dcor.example.org/ is up (")
    assert sysadmin.endswith(": dcor-server user create NAME --email ADDRESS --sysadmin")
    assert timers == "Created symlink."
    (call,) = dpkg.debhelper
    assert dpkg.machine.calls[-1] == call
    assert call.argv[3:] == (DEBHELPER, "sh", "configure", "")
    assert call.environment["DPKG_MAINTSCRIPT_PACKAGE"] == "dcor-server"
    assert all(name.startswith(("DPKG_", "DEB_")) for name in call.environment)


def test_a_first_installation_names_the_pages_that_have_no_text(dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch) -> None:
    dpkg.preseed(ANSWERS)
    told = "dcor-server: /etc/dcor-server/dcor-server.conf names no text for the pages /contact, /imprint, /privacy"
    assert dpkg.postinst("configure", "") == 0
    assert told in dpkg.out
    assert dpkg.postinst("configure", "1.0.0") == 0
    assert told not in dpkg.out
    assert maintainer.FIRST_SYSADMIN not in dpkg.out


def test_a_script_without_a_part_of_debhelper_runs_no_shell(dpkg: Dpkg) -> None:
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("configure", "", debhelper="\n") == 0
    assert dpkg.debhelper == []


def test_a_first_installation_with_an_invalid_answer_ends_with_1_and_changes_nothing(dpkg: Dpkg) -> None:
    dpkg.preseed({**ANSWERS, "hostname": "no host"})
    assert dpkg.postinst("configure", "") == 1
    assert dpkg.connection is not None
    assert not dpkg.connection.is_open
    assert "dcor-server: dcor-server/hostname = 'no host': " in dpkg.err
    assert dpkg.err.splitlines()[-1] == "    Fix the cause, then run: dpkg --configure -a"
    assert not dpkg.host.exists(settings_text.PATH)
    assert dpkg.debhelper == []


def test_a_first_installation_whose_step_fails_repeats_its_reason_and_hint_and_continues_later(dpkg: Dpkg) -> None:
    dpkg.machine.fail("tar", words=BROKEN)
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("configure", "") == 1
    assert "dcor-server: The step 'release' failed: " in dpkg.err
    assert f"\n    {BROKEN}\n" in dpkg.err
    assert "Fix the cause, then run: dpkg --configure -a" in dpkg.err
    assert BROKEN in (dpkg.host.read(last_converge.LOG) or "")
    assert dpkg.debhelper == []
    dpkg.machine.failures.clear()
    assert dpkg.postinst("configure", "") == 0
    assert len(dpkg.debhelper) == 1


def is_requested(dpkg: Dpkg) -> bool:
    """Tell whether the unit was started that converges when apt has ended, and the timer knows of it as well."""
    pended = [pending.is_pending(dpkg.host, action) for action in (pending.CONVERGE, pending.UPGRADE)]
    started = dpkg.machine.ran("systemctl", "start")[-1:] == [("systemctl", "start", "--no-block", after_upgrade.UNIT)]
    assert pended == [started, started]
    return started


UPGRADES = (("configure", "1.0.0"), ("triggered", "/usr/share/dcor-wheels"))


@pytest.mark.parametrize("arguments", UPGRADES)
def test_an_upgrade_is_one_line_and_changes_nothing_before_apt_has_ended(
    dpkg: Dpkg, arguments: tuple[str, ...]
) -> None:
    dpkg.installed()
    assert not is_requested(dpkg)
    dpkg.machine.host.run("systemctl", "stop", "nginx.service")
    dpkg.machine.packages.versions["python-ckan"] = "2.11.7-1~deb12u1"
    before = release.active(dpkg.host)
    assert dpkg.postinst(*arguments) == 0
    assert dpkg.out.splitlines() == [f"dcor-server: {maintainer.REQUESTED}", "Created symlink."]
    assert is_requested(dpkg)
    assert not dpkg.machine.systemd.is_active("nginx.service")
    assert release.active(dpkg.host) == before
    assert dpkg.postinst("triggered", "/usr/lib/ckan/default") == 0
    assert (dpkg.out.splitlines(), is_requested(dpkg)) == (["Created symlink."], True)


@pytest.mark.parametrize("arguments", UPGRADES)
def test_an_upgrade_whose_converge_cannot_be_started_does_not_block_apt(dpkg: Dpkg, arguments: tuple[str, ...]) -> None:
    dpkg.installed()
    dpkg.machine.fail("systemctl", "start", words=f"Unit {after_upgrade.UNIT} is masked.")
    assert dpkg.postinst(*arguments) == 0
    assert "is masked" in dpkg.err
    assert "This does not block apt" in dpkg.err
    assert "dcor-server status" in dpkg.err
    assert "dpkg --configure" not in dpkg.err
    assert len(dpkg.debhelper) == 1
    assert is_requested(dpkg)


def test_an_upgrade_with_invalid_settings_names_their_line_and_is_tried_again(dpkg: Dpkg) -> None:
    dpkg.installed()
    text = dpkg.host.read(settings_text.PATH) or ""
    dpkg.host.write(settings_text.PATH, f"{text}\nno equals sign\n", Access(0o640))
    assert dpkg.postinst("configure", "1.0.0") == 0
    assert "'no equals sign" in dpkg.err
    assert is_requested(dpkg)


def test_an_upgrade_waits_for_a_command_that_changes_settings_and_goes_on_without_it(
    dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch
) -> None:
    dpkg.installed()
    minutes = iter(range(0, 60 * 60, 60))
    with lock.held(dpkg.host, 0.0):
        monkeypatch.setattr(time, "monotonic", lambda: float(next(minutes)))
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        assert dpkg.postinst("configure", "1.0.0") == 0
    assert is_requested(dpkg)


@pytest.mark.parametrize("text", ["", '{"worked": tr', "null", "[]", '{"other": 1}'])
def test_an_upgrade_whose_state_is_damaged_as_well_does_not_block_apt(dpkg: Dpkg, text: str) -> None:
    dpkg.installed()
    dpkg.host.write(last_converge.STATE, text, Access(0o600))
    dpkg.machine.postgresql.stop_for_good()
    assert dpkg.postinst("configure", "1.0.0") == 0
    assert is_requested(dpkg)


def test_a_trigger_does_not_ask_debconf(dpkg: Dpkg) -> None:
    dpkg.installed()
    dpkg.connection = None
    assert dpkg.postinst("triggered", "/usr/lib/ckan") == 0
    assert is_requested(dpkg)


def test_another_action_runs_the_part_of_debhelper_only(dpkg: Dpkg) -> None:
    assert dpkg.postinst("abort-upgrade", "2.0.0") == 0
    assert dpkg.machine.calls == dpkg.debhelper
    assert dpkg.debhelper[0].argv[-2:] == ("abort-upgrade", "2.0.0")


def test_a_reconfiguration_changes_the_settings_and_leaves_out_the_part_of_debhelper(
    dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch
) -> None:
    dpkg.installed()
    assert reconfigure(dpkg, monkeypatch, {"site-title": "Cells"}) == 0
    assert settings_file.load(dpkg.host).site_title == "Cells"
    assert dpkg.debhelper == []


@pytest.mark.parametrize("answers", [{}, {"hostname": "no host"}])
def test_a_reconfiguration_that_fails_ends_with_1_and_says_what_to_do(
    dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]
) -> None:
    dpkg.installed()
    dpkg.machine.postgresql.stop_for_good()
    assert reconfigure(dpkg, monkeypatch, answers) == 1
    assert "Fix the cause, then run: dcor-server converge" in dpkg.err
    assert "dpkg --configure" not in dpkg.err.splitlines()[-1]


def test_a_machine_that_another_command_changes_is_pending(dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch) -> None:
    dpkg.preseed(ANSWERS)
    minutes = iter(range(0, 60 * 60, 60))
    with lock.held(dpkg.host, 0.0):
        monkeypatch.setattr(time, "monotonic", lambda: float(next(minutes)))
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        assert dpkg.postinst("configure", "") == 0
    assert "dcor-server: The server was not set up yet: Another" in dpkg.out
    assert "dcor-retry" in dpkg.out
    assert pending.is_pending(dpkg.host, pending.CONVERGE)
    assert settings_file.load(dpkg.host).hostname == "dcor.example.org"
    assert release.active(dpkg.host) is None
    assert len(dpkg.debhelper) == 1


def saved_only(dpkg: Dpkg) -> bool:
    """Return whether the settings were saved, and nothing else was set up."""
    return (
        dpkg.host.exists(settings_text.PATH)
        and release.active(dpkg.host) is None
        and maintainer.NOT_STARTED in dpkg.out
        and len(dpkg.debhelper) == 1
    )


def test_without_systemd_the_settings_are_saved_for_the_first_boot(dpkg: Dpkg) -> None:
    dpkg.host.remove_tree("/run/systemd/system")
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("configure", "") == 0
    assert saved_only(dpkg)


@pytest.mark.parametrize(("code", "starts"), [(101, False), (104, True), (0, True)])
def test_a_policy_may_forbid_to_start_services(dpkg: Dpkg, code: int, starts: bool) -> None:
    def policy(call: Call) -> str:
        assert call.argv[1:] == ("nginx", "start")
        if code:
            raise call.failure(code, "")
        return ""

    dpkg.host.write(maintainer.POLICY, "#!/bin/sh\n", Access(0o755))
    dpkg.machine.programs[maintainer.POLICY] = policy
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("configure", "") == 0
    assert saved_only(dpkg) is not starts
    assert ("is up (" in dpkg.out) is starts


def test_a_host_name_without_a_domain_is_reported(dpkg: Dpkg) -> None:
    dpkg.preseed({**ANSWERS, "hostname": "server"})
    assert dpkg.postinst("configure", "") == 0
    assert dpkg.out.startswith("dcor-server: server is a host name without a domain")


def test_a_part_of_debhelper_that_fails_is_reported(dpkg: Dpkg) -> None:
    dpkg.machine.fail("sh", words="deb-systemd-helper: not found", code=127)
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("abort-remove") == 1
    assert "deb-systemd-helper: not found" in dpkg.err


def test_a_bug_in_a_first_installation_ends_with_1_and_its_traceback_is_in_the_log(dpkg: Dpkg) -> None:
    def broken(call: Call) -> str:
        raise ZeroDivisionError

    dpkg.machine.programs["nginx"] = broken
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("configure", "") == 1
    assert "bug" in dpkg.err
    assert error_boundary.LOG in dpkg.err
    assert "ZeroDivisionError" in (dpkg.host.read(error_boundary.LOG) or "")


@pytest.mark.parametrize(
    ("fault", "said"), [("", "no room"), ("cp: error", "dcor-server: The packages are not kept for a repair.")]
)
def test_a_first_installation_from_files_keeps_them_and_ends_well_also_where_it_cannot(
    dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch, fault: str, said: str
) -> None:
    given: list[str] = []

    def keep(call: Call) -> str:
        given.append(call.text)
        if fault:
            raise call.failure(1, fault)
        return "no room\n"

    monkeypatch.setattr(package_manager, "given_files", lambda: ["/media/a.deb", "/media/b.deb"])
    dpkg.machine.programs[updates.KEEP] = keep
    dpkg.preseed(ANSWERS)
    assert dpkg.postinst("configure", "") == 0
    assert (given, said in dpkg.out) == (["/media/a.deb\n/media/b.deb\n"], True)
    assert dpkg.postinst("configure", "1.0.0") == 0
    assert len(given) == 1, "later ones are kept by apt's hook"
