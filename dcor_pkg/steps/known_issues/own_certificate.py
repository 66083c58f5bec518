"""Programs of a release ask the object store by https, and trust only the authorities in certifi's own file.

`ssl_verify = true` makes botocore ignore `AWS_CA_BUNDLE`, so certifi's file has to be ours: Debian's
authorities and this server's certificate.
"""

from __future__ import annotations

from dcor_pkg.host import Host
from dcor_pkg.steps.certificate import BUNDLE

FILES: tuple[str, ...] = ()
CERTIFI = "certifi/cacert.pem"


def has(host: Host, site: str) -> bool:
    """Tell whether certifi has a file of its own."""
    return host.target(f"{site}/{CERTIFI}") != BUNDLE


def cure(host: Host, site: str) -> None:
    """Put a link in its place."""
    host.link(f"{site}/{CERTIFI}", BUNDLE)
