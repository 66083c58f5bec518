"""Mail an error to the administrator when it comes first, and then each hour how often it came again.

CKAN mails each error of a page, within the request, with all headers, API tokens and sessions among them; and no error
of the API. Here a thread talks to the mail relay, and both kinds are mailed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from datetime import datetime
from logging.handlers import SMTPHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask
from dcor_runtime import failures, repeats

#: the logger of errors that the API answers with 500
API = "ckan.views.api"
#: for each answer of the relay
TIMEOUT_SECONDS = 10.0
#: how often errors are looked for whose hour is over, and the number of uWSGI's signal for it; there is no other one
LOOK_SECONDS, SIGNAL = 60, 17
#: headers that are mailed: others may be secret
HEADERS = ("User-Agent", "Referer")
#: packages whose lines say what went wrong, also where a library has raised the exception
OWN = ("ckan", "ckanext")
FOOTER = (
    "For an hour the same error is not mailed again; then a mail says how often it has come.\nAll are in /var/log/ckan."
)


def install(app: Any, config: Any) -> None:
    """Take over from the handler of CKAN, as a Flask application, for its mails. Without a relay it has none."""
    for given in [it for it in app.logger.handlers if isinstance(it, SMTPHandler)]:
        directory = os.environ.get("RUNTIME_DIRECTORY", "/run/dcor-ckan")
        known = repeats.Repeats(Path(directory, "error-mails.json"))
        handler = ErrorMails(like(given), urlsplit(config["ckan.site_url"]).hostname or "", known)
        app.logger.removeHandler(given)
        for logger in (app.logger, logging.getLogger(API)):
            logger.addHandler(handler)


def report_each_hour(uwsgi: Any) -> None:
    """Let one of uWSGI's workers look for errors whose hour is over; called in its master, before it forks them."""
    for handler in logging.getLogger(API).handlers:
        if isinstance(handler, ErrorMails):
            uwsgi.register_signal(SIGNAL, "", handler.report)
            uwsgi.add_timer(SIGNAL, LOOK_SECONDS)


class Mails(SMTPHandler):
    """Sends mails, each with a subject of its own. What the relay refuses is in the log, with the reason."""

    def getSubject(self, record: Any) -> str:  # noqa: N802 (a name of logging)
        """Return the subject of a mail."""
        return str(record.subject)


def like(given: Any) -> Mails:
    """Return a sender with the relay, the addresses and the login of CKAN's handler."""
    login = (given.username, given.password) if given.username else None
    relay = (given.mailhost, given.mailport)
    return Mails(relay, given.fromaddr, given.toaddrs, "", login, given.secure, TIMEOUT_SECONDS)


class ErrorMails(logging.Handler):
    """Mails errors, those of a page and of the API alike."""

    def __init__(self, mails: Mails, site: str, known: repeats.Repeats) -> None:
        super().__init__(logging.ERROR)
        self._mails, self._site, self._known = mails, site, known
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Mail an error, unless it was mailed within the last hour. The request goes on, whatever happens here."""
        try:
            error = identity(record)
            repeated = self._known.add(error, time.time())
            if repeated is not None:
                count = f"{_count(repeated)}\n\n" if repeated.times else ""
                self._send(error, f"{count}{request()}{self.format(record)}\n\n{FOOTER}\n")
        except Exception:  # noqa: BLE001 (logging.Handler.emit: an error of the log is written to the standard error)
            self.handleError(record)

    def report(self, _: int = SIGNAL) -> None:
        """Mail how often errors came again whose hour is over."""
        for repeated in self._known.due(time.time()):
            self._send(f"{_times(repeated)}: {repeated.error}", f"{_count(repeated)}\n\n{FOOTER}\n")

    def _send(self, about: str, text: str) -> None:
        """Hand a mail to the relay in a thread, which uWSGI waits for when it ends the worker."""
        subject = f"[{self._site}] Application Error: {about}"
        mail = logging.makeLogRecord({"msg": failures.without_addresses(text), "subject": subject})
        threading.Thread(target=self._mails.handle, args=(mail,), name="error mail").start()


def identity(record: logging.LogRecord) -> str:
    """Return what the same errors have in common: exception and place, without a message, which may name an id.

    The place is the innermost one, and the innermost one in CKAN: a line of a library may fail for many reasons.
    """
    kind, _, trace = record.exc_info or (None, None, None)
    if kind is None or trace is None:
        return f"{record.name} at {_place(record.pathname, record.lineno)}"
    frames = list(traceback.walk_tb(trace))
    own = [it for it in frames if str(it[0].f_globals.get("__name__")).partition(".")[0] in OWN]
    places = dict.fromkeys(_place(frame.f_code.co_filename, line) for frame, line in (frames[-1], *own[-1:]))
    return f"{kind.__name__} at {' from '.join(places)}"


def request() -> str:
    """Return the lines that say which request has failed; none outside of one."""
    if not flask.has_request_context():
        return ""
    it = flask.request
    facts = {"URL": it.path, "Method": it.method, "Address": it.remote_addr}
    facts.update({name: it.headers.get(name) for name in HEADERS})
    return "".join(f"{name}: {value}\n" for name, value in facts.items() if value) + "\n"


def _place(file: str, line: int | None) -> str:
    return f"{file.rpartition('/site-packages/')[2]}:{line}"


def _times(repeated: repeats.Repeated) -> str:
    return f"{repeated.times} more time{'s' if repeated.times > 1 else ''}"


def _count(repeated: repeats.Repeated) -> str:
    """Return the sentence that says how often an error came again."""
    since = datetime.fromtimestamp(repeated.since).astimezone().isoformat(" ", "seconds")
    return f"{repeated.error}\ncame {_times(repeated)} since the mail of {since}."
