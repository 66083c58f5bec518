"""Ask a service over HTTP."""

from __future__ import annotations

import base64
import http.client
import ssl
import urllib.error
import urllib.request

from dcor_pkg.answers.secret import Secret
from dcor_pkg.machine import tls_context
from dcor_pkg.machine.unix_http import Answer

TIMEOUT_SECONDS = 30.0


def ask(address: str, login: tuple[str, Secret], data: str | None = None) -> Answer:
    """Return the answer to GET, or to POST of the JSON text `data`; status 0 where there is none.

    Certificates are verified with the machine's authorities. A proxy in the caller's environment is not used, since
    the password is for the service alone.
    """
    credentials = base64.b64encode(f"{login[0]}:{login[1].reveal()}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    body = None if data is None else data.encode()
    request = urllib.request.Request(address, body, headers)  # noqa: S310 (the settings allow http and https only)
    return _answer(request)


def get(address: str, authorities: str) -> Answer:
    """Return the answer to GET at an https address; status 0 where there is none.

    `authorities`: certificates in PEM that are trusted besides the machine's.
    """
    context = tls_context.verifying()
    try:
        if authorities:
            context.load_verify_locations(cadata=authorities)
    except ssl.SSLError as error:
        return Answer(0, str(error))
    request = urllib.request.Request(address)  # noqa: S310 (the settings allow https only)
    return _answer(request, urllib.request.HTTPSHandler(context=context))


def _answer(request: urllib.request.Request, *handlers: urllib.request.BaseHandler) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return Answer(answer.status, answer.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read().decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, str(getattr(error, "reason", error)) or type(error).__name__)
