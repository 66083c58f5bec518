"""The prerm: on removal the site goes down, and a removal never fails."""

from __future__ import annotations

import re

import pytest

from dcor_pkg.answers import settings_text
from dcor_pkg.machine import error_boundary
from dcor_pkg.nginx import site
from dcor_pkg.services import removal_plan
from dcor_pkg.verbs import take_down
from tests.unit.dpkg import Dpkg


def test_a_removal_takes_the_site_down_and_keeps_the_settings(dpkg: Dpkg) -> None:
    assert dpkg.installed().prerm("remove") == 0
    assert (dpkg.out, dpkg.err) == ("Created symlink.\n", "")
    assert not dpkg.host.exists(site.ENABLED)
    assert dpkg.host.exists(settings_text.PATH)
    assert dpkg.debhelper[0].argv[-1] == "remove"


def test_a_removal_plans_a_purge_by_the_settings_of_now(dpkg: Dpkg) -> None:
    dpkg.installed()
    path = dpkg.host.path(settings_text.PATH)
    path.write_text(re.sub("(?m)^scratch-directory.*", "Scratch-Directory\t=\t/srv/scratch \r", path.read_text()))
    assert dpkg.prerm("remove") == 0
    plan = dpkg.host.read(removal_plan.PLAN) or ""
    assert "temporary /srv/scratch/ckanext-dc_serve" in plan
    assert plan.endswith("data /data made object-store ckan\n")


def test_settings_that_cannot_be_read_leave_the_last_plan(dpkg: Dpkg) -> None:
    plan = dpkg.installed().host.read(removal_plan.PLAN)
    dpkg.host.path(settings_text.PATH).write_text("nonsense\n")
    assert dpkg.prerm("remove") == 0
    assert settings_text.PATH in dpkg.err
    assert dpkg.host.read(removal_plan.PLAN) == plan
    assert not dpkg.host.exists(site.ENABLED)


def test_before_an_upgrade_nothing_is_taken_down(dpkg: Dpkg) -> None:
    dpkg.installed()
    calls = len(dpkg.machine.calls)
    assert dpkg.prerm("upgrade", "2.0.0") == 0
    assert dpkg.machine.calls[calls:] == dpkg.debhelper
    assert dpkg.host.exists(site.ENABLED)


def test_a_removal_reports_what_cannot_be_stopped_and_never_fails(dpkg: Dpkg) -> None:
    dpkg.installed()
    dpkg.machine.fail("systemctl", words="Failed to connect to bus")
    dpkg.machine.fail("sh", words="sh: broken")
    assert dpkg.prerm("remove") == 0
    assert "    Failed to connect to bus" in dpkg.err.splitlines()
    assert "    sh: broken" in dpkg.err.splitlines()
    assert dpkg.err.startswith("dcor-server: ")


def test_a_bug_does_not_fail_a_removal(dpkg: Dpkg, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(host: object, report: object) -> None:
        raise ZeroDivisionError

    dpkg.installed()
    monkeypatch.setattr(take_down, "take_down", broken)
    assert dpkg.prerm("remove") == 0
    assert "ZeroDivisionError" in dpkg.err
    assert error_boundary.LOG in dpkg.err


def test_after_a_removal_an_installation_counts_as_the_first_one(dpkg: Dpkg) -> None:
    dpkg.installed().prerm("remove")
    dpkg.machine.postgresql.stop_for_good()
    assert dpkg.postinst("configure", "1.0.0") == 1
