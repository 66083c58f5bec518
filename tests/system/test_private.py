"""Requests for private data are rejected; public data can be read by everybody and changed by nobody else."""

from __future__ import annotations

from dcor_dev.machine import Machine
from users import make_user, run_client

#: The least number of requests in each part of clients/private.py.
LEAST = {"api": 28, "pages": 5, "store": 60, "signed": 7}


def test_requests_for_private_data_are_rejected_and_public_data_can_be_read(server: Machine) -> None:
    """The program fails at the first request that is not rejected; this test checks that it makes all of them."""
    owner, other_user = make_user(server, "owner"), make_user(server, "other")
    seen = run_client(server, "private", "--token", owner.token, "--other-user", other_user.token)
    too_few = {part: len(seen["rejected"][part]) for part in LEAST if len(seen["rejected"][part]) < LEAST[part]}
    assert too_few == {}
    assert set(seen["rejected"]["pages"].values()) == {404}
    assert seen["public"]["deform[0]"] == 0.011666297
