"""What is private stays so, whoever asks and however; what is public is read by anybody and changed by nobody."""

from __future__ import annotations

from dcor_dev.machine import Machine
from users import make_user, run_client

#: How many attempts each part of the program makes at least.
LEAST = {"api": 28, "pages": 5, "store": 60, "signed": 7}


def test_private_data_are_refused_and_public_data_are_read(server: Machine) -> None:
    """The program makes each attempt and fails at the first that is not refused; here its list must not shrink."""
    owner, other_user = make_user(server, "owner"), make_user(server, "other_user")
    seen = run_client(server, "private", "--token", owner.token, "--other-user", other_user.token)
    too_few = {part: len(seen["rejected"][part]) for part in LEAST if len(seen["rejected"][part]) < LEAST[part]}
    assert too_few == {}
    assert set(seen["rejected"]["pages"].values()) == {404}
    assert seen["public"]["deform[0]"] == 0.011666297
