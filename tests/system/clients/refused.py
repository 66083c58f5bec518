"""Ask a server whose certificate this Python does not trust, and print as JSON why dclab and DCOR-Aid get no answer.

An empty text says that there was one.
"""

from __future__ import annotations

import argparse
import json
import warnings

import requests
from dclab import http_utils
from dcoraid.api import CKANAPI

#: far longer than dclab's own, which a busy machine may not keep
TIMEOUT_SECONDS = 30


def main() -> None:
    """Ask by the sessions in which dclab and DCOR-Aid send all their requests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    host = parser.parse_args().host
    print(json.dumps({"dclab": in_dclab(host), "DCOR-Aid": in_dcor_aid(host)}, indent=1))


def in_dclab(host: str) -> str:
    """Return what dclab warns of at its first attempt; it would make a hundred, and then not say why."""
    address = f"https://{host}/api/3/action/status_show"
    with warnings.catch_warnings():
        warnings.simplefilter("error", http_utils.ConnectionTimeoutWarning)
        try:
            http_utils.session_cache.get_session(address).get(address, timeout=TIMEOUT_SECONDS)
        except http_utils.ConnectionTimeoutWarning as warning:
            return str(warning)
    return ""


def in_dcor_aid(host: str) -> str:
    """Return the error of DCOR-Aid, by POST: with GET it would wait, and try again."""
    try:
        CKANAPI(host, check_ckan_version=False, caching=False).post("status_show", {})
    except requests.exceptions.SSLError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main()
