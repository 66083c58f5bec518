"""Ask the site as a user does: by the host name, with the certificate verified, through nginx."""

from __future__ import annotations

import http.client
import time

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import switch
from dcor_pkg.machine import unix_http
from dcor_pkg.nginx import loopback

#: a page that nginx has in a file, whatever becomes of CKAN
OF_NGINX = "/trust"


def problem(settings: Settings, target: str) -> str | None:
    """Return why a page is not answered as it should be, or None."""
    try:
        answer, body = _ask(settings.hostname, target)
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    if answer.status != 200:
        return f"https://{settings.hostname}{target} answers {answer.status}"
    return switch.search_problem(body) if target == switch.SEARCH else None


def nginx_problem(settings: Settings) -> str | None:
    """Return why nginx itself does not answer, or None: whatever it answers, it does."""
    try:
        _ask(settings.hostname, OF_NGINX)
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    return None


def _ask(hostname: str, target: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = loopback.Connection(hostname)
    connection.request("GET", target, headers={"Host": hostname})
    answer = connection.getresponse()
    return answer, _body(answer)


def _body(answer: http.client.HTTPResponse) -> bytes:
    """Return what was answered. Raises OSError where it does not end: behind nginx is CKAN, with what strangers say."""
    body, deadline = b"", time.monotonic() + loopback.TIMEOUT_SECONDS
    while part := answer.read1(65536):
        body += part
        if len(body) > unix_http.MAX_BYTES or time.monotonic() > deadline:
            raise OSError(f"the answer has {len(body)} bytes and does not end")
    return body
