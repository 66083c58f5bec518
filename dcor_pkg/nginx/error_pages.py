"""Pages for browsers, in the site's look, with which nginx explains that it does not pass on a request.

They are files that nginx serves without CKAN, which may be down then. Programs get nginx's own short answers instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.machine import paths
from dcor_pkg.machine.host import Host

#: nginx's workers read it, which are not root.
DIRECTORY = f"{paths.STATE}/nginx/errors"


@dataclass(frozen=True)
class Words:
    """What a page says in one language."""

    title: str
    text: str


@dataclass(frozen=True)
class ErrorPage:
    """The page for one status."""

    status: int
    english: Words
    german: Words
    #: instead of nginx's own answer, for programs, with the header Retry-After; variables are those of the site
    plain: str = ""
    #: the status that the client gets, where `status` is a number of nginx's own for a case of it
    sent: int = 0
    #: whether nginx answers so before it has read the header Accept, so that everybody gets the page
    unread: bool = False

    @property
    def shown(self) -> int:
        """The status that the client gets."""
        return self.sent or self.status

    @property
    def temporary(self) -> bool:
        """Whether the same request may be sent again later."""
        return bool(self.plain)


TOO_LONG = (
    Words(
        "This address is too long", "Or your browser sent too many cookies: delete those of this site and try again."
    ),
    Words(
        "Diese Adresse ist zu lang",
        "Oder Ihr Browser hat zu viele Cookies gesendet: Löschen Sie die dieser Seite, und versuchen Sie es noch einmal.",
    ),
)

PAGES = (
    ErrorPage(
        400,
        Words("This request is not valid", "The address, or something that was sent with it, is not valid."),
        Words("Diese Anfrage ist ungültig", "Die Adresse oder etwas, das mit ihr gesendet wurde, ist ungültig."),
    ),
    ErrorPage(
        403,
        Words("You may not see this", "It is not public. Perhaps you have to sign in, or a link has expired."),
        Words(
            "Kein Zugriff",
            "Dies ist nicht öffentlich. Vielleicht müssen Sie sich anmelden, oder ein Link ist abgelaufen.",
        ),
    ),
    ErrorPage(
        404,
        Words("There is no such page", "Perhaps the address has a typing error, or the page was removed."),
        Words(
            "Diese Seite gibt es nicht", "Vielleicht ist die Adresse falsch geschrieben, oder die Seite wurde entfernt."
        ),
    ),
    ErrorPage(
        405,
        Words("This cannot be done here", "This address cannot process what was sent to it."),
        Words("Das ist hier nicht möglich", "Diese Adresse kann nicht verarbeiten, was an sie gesendet wurde."),
    ),
    ErrorPage(
        413,
        Words("This is too large", "What was sent is too large for this page. Upload measurements with DCOR-Aid."),
        Words("Das ist zu groß", "Für diese Seite ist das zu groß. Laden Sie Messungen mit DCOR-Aid hoch."),
    ),
    ErrorPage(414, *TOO_LONG, unread=True),
    ErrorPage(
        429,
        Words("Too many requests", "There were too many requests. Please wait a minute and try again."),
        Words(
            "Zu viele Anfragen",
            "Es kamen zu viele Anfragen. Bitte warten Sie eine Minute, und versuchen Sie es noch einmal.",
        ),
        plain="There were too many requests. Please try again later.",
    ),
    ErrorPage(
        500,
        Words("Something went wrong", "The server could not complete the request. Please try again later."),
        Words(
            "Etwas ging schief",
            "Der Server konnte die Anfrage nicht beenden. Bitte versuchen Sie es später noch einmal.",
        ),
    ),
    ErrorPage(
        502,
        Words("The server is starting", "It will be there in a moment. Please try again."),
        Words("Der Server startet", "Er ist gleich wieder da. Bitte versuchen Sie es noch einmal."),
    ),
    ErrorPage(
        503,
        Words(
            "The server is busy", "It has too much to do, or is under maintenance. Please try again in a few minutes."
        ),
        Words(
            "Der Server ist beschäftigt",
            "Er hat zu viel zu tun oder wird gewartet. Bitte versuchen Sie es in einigen Minuten noch einmal.",
        ),
        plain="This server is $dcor_reason. Please try again later.",
    ),
    ErrorPage(
        504,
        Words("This takes too long", "The server did not answer in time. Please try again later."),
        Words(
            "Das dauert zu lange",
            "Der Server hat nicht rechtzeitig geantwortet. Bitte versuchen Sie es später noch einmal.",
        ),
    ),
    # nginx's number for a header that is too long (nginx, src/http/ngx_http_request.h); with HTTP/2 it closes the
    # connection instead.
    ErrorPage(494, *TOO_LONG, sent=400, unread=True),
)


@dataclass(frozen=True)
class ErrorPages:
    """The files of all pages, of which an admin may have changed some."""

    files: tuple[ManagedFile, ...]
    name: str = "error pages"

    def check(self, host: Host) -> str | None:
        drifts = (f"{file.path} {drift}" for file in self.files if (drift := file.check(host)) is not None)
        return next(drifts, None)

    def apply(self, host: Host) -> None:
        for file in self.files:
            if file.check(host) is not None:
                file.apply(host)


def error_pages(settings: Settings) -> ErrorPages:
    """Return the step that writes the pages; the site's title is on each."""
    return ErrorPages(tuple(_file(page, settings.site_title) for page in PAGES))


def _file(page: ErrorPage, site_title: str) -> ManagedFile:
    values = {"page": page, "site_title": site_title}
    return ManagedFile(f"{DIRECTORY}/{page.status}.html", "nginx/templates/error-page.html", values)
