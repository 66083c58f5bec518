"""The key of a certificate, kept over renewals because clients may have pinned it."""

from __future__ import annotations

from typing import Union

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dcor_pkg.machine.host import Host
from dcor_pkg.tls.pair import Pair

#: A shorter key of RSA is not used again (NIST SP 800-131A).
RSA_BITS = 2048
Key = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey]


def of(host: Host, pair: Pair) -> str:
    """Return the key of a pair, in PEM; a new one where it is missing, of no use, or others may have read it."""
    text = host.read(pair.key)
    if text is None or pair.key_drift(host) is not None:
        return new()
    try:
        load(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return new()
    return text


def new() -> str:
    """Return a new key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def load(text: str) -> Key:
    """Return a key that clients accept in a certificate. Raises ValueError, or TypeError for an encrypted one."""
    key = serialization.load_pem_private_key(text.encode(), None)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= RSA_BITS:
        return key
    raise ValueError("the key is neither EC P-256 nor RSA")
