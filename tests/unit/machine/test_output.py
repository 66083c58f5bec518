"""A command may be started without standard output, which Python says by None (sys.__stdout__)."""

from __future__ import annotations

import sys

import pytest

from dcor_pkg.machine import output


def test_nobody_sees_a_standard_output_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    output.replace_missing_characters()
    assert (output.is_seen(), output.terminal()) == (False, None)
