"""Further names: host names and IP addresses, each once and in its usual form."""

from __future__ import annotations

import ipaddress

import pytest

from dcor_pkg.answers import server_names, settings
from dcor_pkg.answers.settings import InvalidAnswer


@pytest.mark.parametrize(
    ("answer", "stored"),
    [
        ("", ""),
        ("dcor.intranet", "dcor.intranet"),
        ("  DCOR.Intranet.   192.0.2.10 dcor.intranet", "dcor.intranet 192.0.2.10"),
        ("2001:DB8:0::0010 ::ffff:192.0.2.1", "2001:db8::10 ::ffff:192.0.2.1"),
    ],
)
def test_names_are_stored_as_programs_compare_them(answer: str, stored: str) -> None:
    given = settings.parse({"certificate-names": answer})
    expected = " ".join(str(server_names.address(word) or word) for word in stored.split())
    assert given.certificate_names == expected


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("-dcor", "is not a list"),
        ("dcor.example.org,192.0.2.1", "is not a list"),
        ("*.example.org", "is not a list"),
        ("192.0.2.256", "is not a list"),
        ("192.0.2.0/24", "is not a list"),
        ("fe80::1%eth0", "is not a list"),
        ("[2001:db8::1]", "is not a list"),
        ("a; return 200", "is not a list"),
        (f"{'a' * 60}.example.org", "is not a list"),
        ("0.0.0.0", "no server has"),
        ("224.0.0.1", "no server has"),
        ("::", "no server has"),
        (" ".join(f"a{number}" for number in range(51)), "has more than 50 names"),
    ],
)
def test_what_is_no_name_is_rejected(answer: str, reason: str) -> None:
    with pytest.raises(InvalidAnswer, match=reason) as invalid:
        settings.parse({"certificate-names": answer})
    assert invalid.value.hint


def test_names_and_addresses_are_told_apart() -> None:
    answer = "dcor.intranet 192.0.2.10 2001:db8::10 localhost"
    assert server_names.dns_names(answer) == ["dcor.intranet", "localhost"]
    assert server_names.addresses(answer) == [ipaddress.ip_address("192.0.2.10"), ipaddress.ip_address("2001:db8::10")]


@pytest.mark.parametrize("days", ["59", "36501", "ten"])
def test_a_validity_that_makes_no_sense_is_rejected(days: str) -> None:
    with pytest.raises(InvalidAnswer, match="is not a whole number from 60 to 36500"):
        settings.parse({"certificate-days": days})
