"""Sessions end for ever when their user is disabled."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.runtime.conftest import Runtime, module


class Browser:
    """Flask with Flask-Login: one session, the users, and what is called when somebody has signed in."""

    def __init__(self) -> None:
        self.session: dict[str, Any] = {}
        self.users = {"1": SimpleNamespace(plugin_extras=None), "2": SimpleNamespace(plugin_extras={"other": 1})}
        self.login_manager = self
        self._user_callback: Callable[[str], Any] = self.users.get
        self.signed_in: Callable[..., None] = print

    def user_loader(self, callback: Callable[[str], Any]) -> None:
        self._user_callback = callback

    def connect(self, receiver: Callable[..., None], _: object) -> None:
        self.signed_in = receiver

    def knows(self, identity: str) -> bool:
        return self._user_callback(identity) is not None


@pytest.fixture
def browser(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser()
    monkeypatch.setitem(sys.modules, "flask", module("flask", session=browser.session))
    monkeypatch.setitem(sys.modules, "flask_login", module("flask_login", user_logged_in=browser))
    runtime.sessions.install(browser)
    return browser


def test_a_session_from_before_a_user_was_disabled_is_not_valid_again(runtime: Runtime, browser: Browser) -> None:
    for identity, user in browser.users.items():
        assert browser.knows(identity)
        for _ in range(2):
            runtime.sessions.end(user)
            assert not browser.knows(identity)
            browser.signed_in(None, user=user)
            assert browser.knows(identity)
        browser.session.clear()
    assert browser.users["2"].plugin_extras["other"] == 1


def test_who_was_never_disabled_signs_in_with_the_session_of_another_user(runtime: Runtime, browser: Browser) -> None:
    runtime.sessions.end(browser.users["1"])
    browser.signed_in(None, user=browser.users["1"])
    browser.signed_in(None, user=browser.users["2"])
    assert browser.knows("2")
    assert not browser.knows("1")


def test_nobody_is_nobody(browser: Browser) -> None:
    assert not browser.knows("3")
