"""Errors that a value in a request causes are recognised, and no fault of the server is."""

from __future__ import annotations

import pytest

from dcor_pkg.runtime import unusable


class Postgresql(Exception):
    """An error of psycopg2."""

    def __init__(self, message: str, code: str | None) -> None:
        super().__init__(message)
        self.pgcode = code


class Alchemy(Exception):
    """An error of SQLAlchemy, which holds that of psycopg2."""

    def __init__(self, message: str, code: str | None) -> None:
        super().__init__(f"(psycopg2.Error) {message}")
        self.orig = Postgresql(message, code)


def half_a_pair() -> UnicodeEncodeError:
    with pytest.raises(UnicodeEncodeError) as error:
        "\ud800".encode()
    return error.value


@pytest.mark.parametrize(
    "error",
    [
        half_a_pair(),
        ValueError("A string literal cannot contain NUL (0x00) characters."),
        Alchemy("bigint out of range", "22003"),
        Alchemy("operator does not exist: text = integer", "42883"),
        Alchemy("can't adapt type 'dict'", None),
        RuntimeError("Incorrect number of values in identifier to formulate primary key for session.get()"),
    ],
    ids=str,
)
def test_an_unusable_value_is_recognised(error: Exception) -> None:
    assert unusable.causes(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("invalid literal for int() with base 10: 'x'"),
        KeyError("organization_id"),
        Alchemy('relation "package" does not exist', "42P01"),
        Alchemy("server closed the connection unexpectedly", None),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ],
    ids=str,
)
def test_a_fault_of_the_server_is_not(error: Exception) -> None:
    assert not unusable.causes(error)
