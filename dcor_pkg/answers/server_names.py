"""Further names of the server, as one answer: DNS names and IP addresses, separated by spaces.

Standard library only: debconf asks before this package or its dependencies are unpacked.
"""

from __future__ import annotations

import ipaddress
from typing import Union

from dcor_pkg.answers.validators import Validator, hostname, lower_host

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
#: as many as fit into a certificate that each handshake sends, and into nginx's table of names
MOST = 50


def address(word: str) -> Address | None:
    """Return an IP address, or None for another word; one with a zone (%eth0) is valid on one machine only."""
    try:
        return None if "%" in word else ipaddress.ip_address(word)
    except ValueError:
        return None


def addresses(answer: str) -> list[Address]:
    """Return the IP addresses of an answer."""
    return [found for word in answer.split() if (found := address(word)) is not None]


def dns_names(answer: str) -> list[str]:
    """Return the DNS names of an answer."""
    return [word for word in answer.split() if address(word) is None]


def _normal(answer: str) -> str:
    """Return an answer with each name once and in the form in which programs compare it."""
    words = [lower_host(word) if address(word) is None else str(address(word)) for word in answer.split()]
    return " ".join(dict.fromkeys(words))


def _is_no_address_of_a_server(answer: str) -> bool:
    return any(it.is_unspecified or it.is_multicast for it in addresses(answer))


names = Validator(
    (
        "is not a list of host names and IP addresses, separated by spaces",
        lambda text: any(hostname.problem(word) for word in dns_names(text)),
    ),
    ("contains an IP address that no server has (unspecified or multicast)", _is_no_address_of_a_server),
    (f"has more than {MOST} names", lambda text: len(text.split()) > MOST),
    accepted=("",),
    normal=_normal,
)
