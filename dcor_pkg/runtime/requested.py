"""Do in CKAN what a verb of dcor-server requests, and print the result as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ckan import logic
from dcor_runtime import application


class Refused(Exception):
    """What was requested cannot be done: the reason, a hint, and what fills their placeholders.

    The texts go to the verb as they are, which says them in the language of the administrator.
    """

    def __init__(self, reason: str, hint: str = "", **about: str) -> None:
        super().__init__(reason.format(**about), hint.format(**about))
        self.texts = [{"text": text, "about": about} for text in (reason, hint)]


def marked(text: str) -> str:
    """Return a text as it is: it goes to a verb, whose catalogue has it."""
    return text


def run(functions: Mapping[str, Callable[..., Any]], request: str) -> None:
    """Load CKAN, and call the function that the request names as `do` with all else that is in it.

    CKAN's own validation has the last word; what it says of a value becomes the reason.
    """
    arguments = json.loads(request)
    app = application.load()._wsgi_app  # noqa: SLF001 (as CKAN's own commands do)
    with app.test_request_context():
        try:
            result = functions[arguments.pop("do")](**arguments)
        except Refused as refused:
            result = {"refused": refused.texts}
        except logic.ValidationError as error:
            said = "; ".join(f"{name}: {text}" for name, text in error.error_summary.items())
            result = {"refused": Refused("CKAN does not accept it ({said}).", said=said).texts}
    print(json.dumps(result))


def act(action: str, *, user: str = "", **data: Any) -> Any:
    """Call one of CKAN's actions as a user, by default as CKAN's own, who may do everything."""
    own = user or logic.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    return logic.get_action(action)({"ignore_auth": True, "user": own}, data)
