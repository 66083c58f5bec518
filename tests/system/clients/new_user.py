"""Make a user of CKAN, and print an API token: `new_user.py < {"name", "email", "password", "sysadmin"} in JSON`.

It runs on the server itself, as CKAN's user, with the Python of the active release: CKAN's own commands would each load
CKAN anew, which takes seconds.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from dcor_runtime import application
from dcor_runtime.requested import act


def main(values: dict[str, Any]) -> None:
    """Make the user, and a token named `test`."""
    app = application.load()._wsgi_app  # noqa: SLF001 (as CKAN's own commands do)
    with app.test_request_context():
        act("user_create", **values)
        print(act("api_token_create", user=values["name"], name="test")["token"])


if __name__ == "__main__":
    main(json.load(sys.stdin))
