"""Whether dclab and DCOR-Aid use a server whose certificate an authority has signed: not before they trust it."""

from __future__ import annotations

import json
from typing import Any

from dcor_dev.machine import Machine
from users import INSIDE, make_user, run_client

PASSWORD = f"{INSIDE}/password"


def assert_clients_need(machine: Machine, authority: str) -> None:
    """Assert that users' programs reject a server until they trust an authority, and upload and read then.

    `authority`: the file with its certificate. It is also what an access token lets them trust, by which they sign in.
    """
    said = run_client(machine, "refused", certificate="")
    assert ["certificate verify failed" in words for words in said.values()] == [True, True], said
    made = make_access_token(machine, make_user(machine, "truster").name)
    fingerprint = machine.shell(f"openssl x509 -noout -fingerprint -sha256 -in {authority}").strip().partition("=")[2]
    assert made["fingerprint"] == fingerprint
    # The file alone is trusted where one signs in, and the authority after that.
    seen = open_access_token(machine, made, certificate=authority)
    assert seen["user"] == made["user"]
    assert run_client(machine, "refused", certificate="") == dict.fromkeys(said, "")


def make_access_token(machine: Machine, user: str) -> dict[str, Any]:
    """Make an access token of a user, and return what the command says."""
    command = ("dcor-server", "token", "create", "--json", "--show-password", "--output", f"/root/{user}.dcor-access")
    made: dict[str, Any] = json.loads(machine.run(*command, user).stdout)
    return made


def open_access_token(machine: Machine, made: dict[str, Any], *arguments: str, **options: str) -> dict[str, Any]:
    """Set up users' programs by an access token that was made, and use them."""
    machine.write(PASSWORD, made["password"], 0o600)
    files = ("--file", made["file"], "--password", PASSWORD)
    return run_client(machine, "open_access_token", *files, *arguments, **options)


def listed(machine: Machine, *arguments: str) -> list[dict[str, Any]]:
    """Return the access tokens that were made, or those that these options ask for."""
    found: list[dict[str, Any]] = json.loads(machine.run("dcor-server", "token", "list", "--json", *arguments).stdout)
    return found
