"""An error is one mail, its repeats are none but one each hour, and no request waits for the mail relay."""

from __future__ import annotations

import json
import logging
import smtplib
import sys
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from logging.handlers import SMTPHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.runtime.conftest import Runtime, module

APP = "ckan.config.middleware.flask_app"
CONFIG = {"ckan.site_url": "https://dcor.example.org"}
REQUEST = SimpleNamespace(
    path="/about",
    method="GET",
    remote_addr="192.0.2.1",
    headers={
        "Authorization": "api-token",
        "Cookie": "session",
        "User-Agent": "DCOR-Aid/1",
        "Referer": "https://x/?key=1",
    },
)
HOUR = 3600


class Relay:
    """The mail relay; it answers when `answers` is set. Its class stands for smtplib's as well."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.connections: list[tuple[Any, ...]] = []
        self.answers = threading.Event()
        self.answers.set()
        self.error: Exception | None = None

    def connect(self, *arguments: Any, **named: Any) -> Relay:
        self.connections.append((*arguments, *named.values()))
        return self

    def send_message(self, mail: EmailMessage) -> None:
        self.answers.wait(10)
        if self.error is not None:
            raise self.error
        self.mails.append(mail)

    def quit(self) -> None:
        pass

    def received(self) -> list[EmailMessage]:
        """Return the mails when all are sent."""
        for thread in threading.enumerate():
            if thread.name == "error mail":
                thread.join(10)
                assert not thread.is_alive()
        return self.mails


@pytest.fixture(autouse=True)
def flask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flask", module("flask", request=REQUEST, has_request_context=lambda: True))


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    relay = Relay()
    monkeypatch.setattr(smtplib, "SMTP", relay.connect)
    return relay


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    return tmp_path / "error-mails.json"


@pytest.fixture
def log(runtime: Runtime, relay: Relay, state: Path) -> Iterator[logging.Logger]:
    """Return the logger of CKAN's pages, to which it has added its handler."""
    log = logging.getLogger(APP)
    log.addHandler(SMTPHandler(("mail.example.org", "25"), "from@example.org", ["to@example.org"], "Application Error"))  # type: ignore[arg-type]  # CKAN gives the port as a text
    runtime.error_mail.install(SimpleNamespace(logger=log), CONFIG)
    yield log
    relay.answers.set()
    relay.received()
    for name in (APP, runtime.error_mail.API):
        for handler in list(logging.getLogger(name).handlers):
            logging.getLogger(name).removeHandler(handler)


def fail(log: logging.Logger, message: str = "an id") -> None:
    """Log an exception, as CKAN does for a page."""
    try:
        json.loads("{" + message)
    except ValueError as error:
        log.error(error, exc_info=sys.exc_info)  # type: ignore[arg-type]  # as CKAN writes it


def an_hour_passes(state: Path) -> None:
    known = json.loads(state.read_text())
    state.write_text(json.dumps({error: [since - HOUR, times] for error, (since, times) in known.items()}))


def report(runtime: Runtime) -> None:
    """Let the timer of uWSGI expire."""
    registered: dict[int, Any] = {}
    timers: dict[int, int] = {}
    uwsgi = SimpleNamespace(
        register_signal=lambda number, _, function: registered.update({number: function}),
        add_timer=lambda number, seconds: timers.update({number: seconds}),
    )
    runtime.error_mail.report_each_hour(uwsgi)
    assert registered.keys() == timers.keys()
    for number, function in registered.items():
        function(number)


def test_an_error_is_one_mail_with_what_is_needed_and_no_secret(log: logging.Logger, relay: Relay) -> None:
    fail(log)
    (mail,) = relay.received()
    assert (mail["From"], mail["To"]) == ("from@example.org", "to@example.org")
    assert mail["Subject"].startswith("[dcor.example.org] Application Error: JSONDecodeError at ")
    text = mail.get_content()
    for line in (
        "URL: /about",
        "Method: GET",
        "Address: 192.0.2.1",
        "User-Agent: DCOR-Aid/1",
        "Referer: https://x/?...",
    ):
        assert f"{line}\n" in text
    assert "Traceback (most recent call last):" in text
    assert "api-token" not in text
    assert "session" not in text


def test_repeats_are_counted_and_mailed_when_the_hour_is_over(
    runtime: Runtime, log: logging.Logger, relay: Relay, state: Path
) -> None:
    for number in range(21):
        fail(log, f"id-{number}")
    report(runtime)
    assert len(relay.received()) == 1
    an_hour_passes(state)
    report(runtime)
    report(runtime)
    _, mail = relay.received()
    assert "Application Error: 20 more times: JSONDecodeError at " in mail["Subject"]
    assert "came 20 more times since the mail of 20" in mail.get_content()


def test_the_next_one_after_the_hour_brings_the_count_where_no_worker_has_looked(
    log: logging.Logger, relay: Relay, state: Path
) -> None:
    for _ in range(2):
        fail(log)
    an_hour_passes(state)
    fail(log)
    assert "came 1 more time since" in relay.received()[1].get_content()
    assert "Traceback" in relay.received()[1].get_content()


def test_an_error_of_the_api_is_mailed_and_what_is_no_error_is_not(
    runtime: Runtime, log: logging.Logger, relay: Relay
) -> None:
    api = logging.getLogger(runtime.error_mail.API)
    for logger in (log, api):
        logger.warning("a file was read")
    assert relay.received() == []
    fail(api)
    assert len(relay.received()) == 1


def test_a_relay_that_does_not_answer_holds_no_request(log: logging.Logger, relay: Relay, runtime: Runtime) -> None:
    relay.answers.clear()
    fail(log)
    assert relay.mails == []
    relay.answers.set()
    assert len(relay.received()) == 1
    assert relay.connections == [("mail.example.org", "25", runtime.error_mail.TIMEOUT_SECONDS)]


def test_a_mail_that_is_refused_is_said_in_the_log(
    log: logging.Logger, relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    relay.error = smtplib.SMTPServerDisconnected("closed by the relay")
    fail(log)
    relay.received()
    assert "closed by the relay" in capsys.readouterr().err


def test_a_request_goes_on_where_the_mail_cannot_be_made(
    log: logging.Logger, relay: Relay, state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: 1 / 0)
    fail(log)
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert relay.mails == []


def test_outside_of_a_request_an_error_names_none(
    log: logging.Logger, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["flask"], "has_request_context", lambda: False)
    log.error("the value %s is wrong", 1)
    log.error("the value %s is wrong", 2)
    first, second = relay.received()
    assert f"Application Error: {APP} at " in first["Subject"]
    assert first["Subject"] != second["Subject"]
    assert "URL" not in first.get_content()


def test_an_error_is_known_by_its_innermost_places_in_a_library_and_in_ckan(runtime: Runtime) -> None:
    def called(module: str, line: int) -> Any:
        code = compile("\n" * (line - 1) + "import json; json.loads('{')", f"/x/site-packages/{module}.py", "exec")
        try:
            exec(code, {"__name__": module})
        except ValueError as error:
            return logging.makeLogRecord({"exc_info": (type(error), error, error.__traceback__), "msg": "x"})

    names = [runtime.error_mail.identity(called(*it)) for it in (("ckan.model", 7), ("ckan.model", 8), ("click", 7))]
    assert names[0].endswith(" from ckan.model.py:7")
    assert names[1].endswith(" from ckan.model.py:8")
    assert names[2].startswith("JSONDecodeError at ")
    assert " from " not in names[2]


def test_without_a_relay_nothing_is_installed(runtime: Runtime) -> None:
    log = logging.getLogger("without-a-relay")
    runtime.error_mail.install(SimpleNamespace(logger=log), CONFIG)
    assert log.handlers == []
    runtime.error_mail.report_each_hour(None)
