"""What the cures of known issues make of upstream's functions for visitors, passwords and mail."""

from __future__ import annotations

import email.message
import email.utils
import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import dcor_pkg.runtime
from dcor_pkg.runtime import reset_key
from tests.unit.ckan.upstream import Aborted, Denied, Unsent, load, raises


class Jobs(SimpleNamespace):
    """Records the background jobs that are added."""

    def enqueue(self, *arguments: Any, **named: Any) -> None:
        self.added = (arguments, named)


@pytest.mark.parametrize("is_anonymous", [True, False])
def test_visitors_are_stopped_before_an_auth_function_that_is_not_for_them(site: Path, is_anonymous: bool) -> None:
    auth = {"act": lambda *_: {"success": True}}
    authorized = load(
        site / "ckan/authz.py", "is_authorized", _AuthFunctions=auth, _get_user=lambda _: None, functools=functools
    )
    allowed = authorized("act", {"auth_user_obj": SimpleNamespace(is_anonymous=is_anonymous)})
    assert allowed["success"] is not is_anonymous
    auth["act"].auth_allow_anonymous_access = True  # type: ignore[attr-defined]
    assert authorized("act", {"auth_user_obj": SimpleNamespace(is_anonymous=is_anonymous)})["success"]


@pytest.mark.parametrize("is_sent", [True, False])
@pytest.mark.parametrize("exists", [True, False])
def test_the_answer_to_a_request_for_a_new_password_is_always_the_same(site: Path, exists: bool, is_sent: bool) -> None:
    def show(context: dict[str, Any], _: object) -> None:
        if not exists:
            raise KeyError
        context["user_obj"] = SimpleNamespace(name="alice")

    said: list[str] = []
    logged: list[object] = []
    view = load(
        site / "ckan/views/user.py",
        "RequestResetView",
        MethodView=object,
        captcha=SimpleNamespace(check_recaptcha=lambda _: None, CaptchaError=KeyError),
        request=SimpleNamespace(form={"user": "alice"}),
        current_user=SimpleNamespace(name=""),
        repr_untrusted=repr,
        logic=SimpleNamespace(get_action=lambda _: show, NotFound=KeyError, check_access=lambda *_: True),
        mailer=SimpleNamespace(
            send_reset_link=(lambda _: None) if is_sent else raises(Unsent()), MailerException=Unsent
        ),
        signals=SimpleNamespace(request_password_reset=SimpleNamespace(send=lambda *_, **__: None)),
        h=SimpleNamespace(flash_success=said.append, redirect_to=lambda page: page, flash_error=said.append),
        config={"ckan.user_reset_landing_page": "home"},
        log=SimpleNamespace(info=lambda *_: None, exception=logged.append),
        _=str,
    )
    assert view().post() == "home"
    assert [text.partition(" ")[2] for text in said] == [
        "reset link has been emailed to you (unless the account specified does not exist)"
    ]
    assert len(logged) == (exists and not is_sent)


@pytest.mark.parametrize("error", [None, Denied(), KeyError()])
def test_the_answer_to_a_wrong_key_does_not_depend_on_the_name(site: Path, error: Exception | None) -> None:
    def show(context: dict[str, Any], _: object) -> None:
        if error:
            raise error
        context["user_obj"] = None

    def abort(status: int, text: str) -> None:
        raise Aborted(status, text)

    view = load(
        site / "ckan/views/user.py",
        "PerformResetView",
        MethodView=object,
        logic=SimpleNamespace(
            check_access=lambda *_: True, get_action=lambda _: show, NotFound=KeyError, NotAuthorized=Denied
        ),
        base=SimpleNamespace(abort=abort),
        h=SimpleNamespace(flash_error=lambda _: None),
        g=SimpleNamespace(),
        request=SimpleNamespace(args={"key": "x"}),
        mailer=SimpleNamespace(verify_reset_link=lambda *_: False),
        _=str,
    )
    with pytest.raises(Aborted) as aborted:
        view().get("x")
    assert aborted.value.args == (403, "Invalid reset key. Please try again.")


def test_a_link_is_mailed_by_a_job_whose_description_does_not_contain_it(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = Jobs()
    library = ModuleType("ckan.lib")
    library.__dict__["jobs"] = jobs
    monkeypatch.setitem(sys.modules, "ckan", ModuleType("ckan"))
    monkeypatch.setitem(sys.modules, "ckan.lib", library)
    send = load(
        site / "ckan/lib/mailer.py",
        "send_reset_link",
        create_reset_key=lambda _: None,
        get_reset_link_body=lambda _: "the link",
        render=lambda *_: "subject\n",
        config={},
        mail_recipient=print,
        MailerException=Unsent,
        _=str,
    )
    send(SimpleNamespace(display_name="A", email="a@example.org"))
    (function, values), named = jobs.added
    assert (function, values) == (print, ["A", "a@example.org", "subject", "the link"])
    assert named["rq_kwargs"]["description"] == "mail a reset link"
    with pytest.raises(Unsent):
        send(SimpleNamespace(display_name="A", email=None))


def mail(site: Path, options: dict[str, str], connect: Callable[..., Any]) -> None:
    send = load(
        site / "ckan/lib/mailer.py",
        "_mail_recipient",
        config=options,
        EmailMessage=email.message.EmailMessage,
        utils=email.utils,
        time=lambda: 0,
        ckan=SimpleNamespace(__version__="2"),
        smtplib=SimpleNamespace(SMTP=connect, SMTPConnectError=OSError, SMTPException=OSError),
        socket=SimpleNamespace(error=OSError),
        _parse_smtp_server=lambda text: (text, 0),
        log=SimpleNamespace(exception=lambda _: None),
        MailerException=Unsent,
    )
    send("A", "a@example.org", "site", "https://x", "subject", "body")


def test_a_mail_server_has_ten_seconds(site: Path) -> None:
    def connect(host: str, port: int, timeout: float) -> None:
        raise TimeoutError(f"{host} {port} {timeout}")

    with pytest.raises(Unsent, match="relay 0 10"):
        mail(site, {"smtp.server": "relay", "smtp.mail_from": "x@example.org"}, connect)


def test_a_server_without_a_sender_says_that_it_sends_no_mail(site: Path) -> None:
    with pytest.raises(Unsent, match="sends no mail"):
        mail(site, {"smtp.server": "localhost"}, raises(AssertionError()))


def test_a_registration_is_mailed_by_a_job(site: Path) -> None:
    jobs = Jobs()
    notify = load(
        site / "ckanext/dcor_schemas/signals.py",
        "notify_user_created",
        config={"email_to": "a@example.org", "ckanext.dcor_schemas.notify_user_create": True},
        asbool=bool,
        mailer=SimpleNamespace(mail_recipient=print),
        jobs=jobs,
    )
    notify(None, user=SimpleNamespace(name="n", fullname="f", email="e", about=None))
    (function,), named = jobs.added
    assert function is print
    assert named["kwargs"]["recipient_email"] == "a@example.org"
    assert "Handle: n" in named["kwargs"]["body"]


@pytest.fixture
def own_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cured files import our modules as in a release."""
    package = ModuleType("dcor_runtime")
    package.__dict__.update(__path__=dcor_pkg.runtime.__path__, reset_key=reset_key)
    monkeypatch.setitem(sys.modules, "dcor_runtime", package)


@pytest.mark.usefixtures("own_runtime")
def test_a_key_for_a_password_is_valid_for_three_days(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, verify = (load(site / "ckan/lib/mailer.py", name) for name in ("make_key", "verify_reset_link"))
    now = time.time()
    user = SimpleNamespace(reset_key=make())
    assert verify(user, f" {user.reset_key}\n")
    assert not any(verify(user, other) for other in (None, "", user.reset_key[:-1], make(), "\xe4", 5))
    for days, valid in ((2.99, True), (3.01, False)):
        monkeypatch.setattr(time, "time", lambda days=days: now + days * 24 * 3600)
        assert verify(user, user.reset_key) is valid


@pytest.mark.usefixtures("own_runtime")
@pytest.mark.parametrize("stored", [None, "", "a" * 32, "a" * 32 + "-", "a" * 32 + "-9999999999\n"])
def test_a_key_that_does_not_say_when_it_expires_is_not_valid(site: Path, stored: str | None) -> None:
    verify = load(site / "ckan/lib/mailer.py", "verify_reset_link")
    assert not verify(SimpleNamespace(reset_key=stored), stored)


@pytest.mark.parametrize(("context", "is_valid"), [({}, False), ({"reset_password": True}, True)])
def test_a_key_counts_at_the_page_of_the_link_only(
    site: Path, monkeypatch: pytest.MonkeyPatch, context: dict[str, Any], is_valid: bool
) -> None:
    library = ModuleType("ckan.lib")
    library.__dict__["mailer"] = SimpleNamespace(verify_reset_link=lambda user, key: key == user.reset_key)
    monkeypatch.setitem(sys.modules, "ckan", ModuleType("ckan"))
    monkeypatch.setitem(sys.modules, "ckan.lib", library)
    user = SimpleNamespace(name="alice", id="1", reset_key="key")
    update = load(
        site / "ckan/logic/auth/update.py",
        "user_update",
        logic_auth=SimpleNamespace(get_user_object=lambda *_: user),
        logic=SimpleNamespace(NotFound=KeyError),
        _=str,
    )
    assert update({"user": "", **context}, {"reset_key": "key"})["success"] is is_valid
    assert not update({"user": "", **context}, {"reset_key": "other"})["success"]
