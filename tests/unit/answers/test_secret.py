"""A secret shows itself where it is revealed, and nowhere else."""

from __future__ import annotations

from operator import mod

import pytest

from dcor_pkg.answers.secret import MASK, Secret

SECRET = Secret("hush")


@pytest.mark.parametrize(
    "shown", [str(SECRET), repr(SECRET), f"{SECRET}", f"{SECRET!r:>3}", mod("%s", SECRET), mod("%r", SECRET)]
)
def test_each_way_to_print_it_shows_a_mask(shown: str) -> None:
    assert shown == MASK


def test_it_is_revealed_compared_and_never_joined_to_a_text() -> None:
    assert SECRET.reveal() == "hush"
    assert Secret("hush") == SECRET
    assert Secret("other") != SECRET
    assert not Secret("")
    with pytest.raises(TypeError):
        "password " + SECRET  # type: ignore[operator]
