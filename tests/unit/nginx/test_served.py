"""A converge succeeds when the site was asked by https, and not before."""

from __future__ import annotations

import pytest

from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.nginx import served
from dcor_pkg.nginx.served import Served
from tests.unit.fake_machine import Machine

STEP = Served("dcor.example.org")


def test_whatever_ckan_answers_the_site_is_served(machine: Machine) -> None:
    assert STEP.check(machine.host) is None
    assert machine.site.requests == [("dcor.example.org", "/")]


def test_a_site_where_nothing_listens_is_a_failure(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(served, "POLL_SECONDS", 0.0)
    machine.systemd.units["nginx.service"].active = "inactive"
    (outcome,) = run([STEP], machine.host)
    assert outcome.result is Result.FAILED
    assert "https://dcor.example.org/ is not answered: [Errno 111] Connection refused" in outcome.reason
    assert "nginx -T" in outcome.hint
