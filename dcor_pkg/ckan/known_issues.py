"""Faults of upstream's code that a release is cured of: a row for each.

A cure looks for its fault first: where that is gone, nothing is changed. It is made in each new release,
so an upgrade neither loses nor keeps it by accident.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from dcor_pkg.machine.host import Access, Host
from dcor_pkg.tls.trust_bundle import BUNDLE


@dataclass(frozen=True)
class Text:
    """A text in a file of a release, and what it is exchanged for."""

    name: str
    file: str
    fault: str
    cure: str

    def is_in(self, host: Host, site: str) -> bool:
        """Tell whether the release with these site-packages has the fault."""
        return self.fault in (host.read(f"{site}/{self.file}") or "")

    def mend(self, host: Host, site: str) -> None:
        """Cure the release of it."""
        path = f"{site}/{self.file}"
        host.write(path, (host.read(path) or "").replace(self.fault, self.cure), Access(0o644))


@dataclass(frozen=True)
class File:
    """A file of a release that is not what it should be: a link takes its place."""

    name: str
    file: str
    target: str

    def is_in(self, host: Host, site: str) -> bool:
        """Tell whether the release with these site-packages has the fault."""
        return host.target(f"{site}/{self.file}") != self.target

    def mend(self, host: Host, site: str) -> None:
        """Cure the release of it."""
        host.link(f"{site}/{self.file}", self.target)


ISSUES: tuple[Text | File, ...] = (
    # dcor_shared (1.0.4, s3.create_time) passes a float as the lifetime of a presigned URL, which Signature Version 4
    # refuses.
    Text(
        "float_expiry",
        "dcor_shared/s3.py",
        fault="    return time.time()\n",
        cure="    return int(time.time())\n",
    ),
    # Programs of a release ask the object store by https, and trust only the authorities in certifi's own file:
    # `ssl_verify = true` makes botocore ignore AWS_CA_BUNDLE. Ours has Debian's, and this server's certificate.
    File("own_certificate", "certifi/cacert.pem", BUNDLE),
    # CKAN (2.11.6, model/__init__.py) hands its database's URL to alembic as it is, which takes a % in it (of a quoted
    # password) for its own sign: every command that looks at the tables ends with "invalid interpolation syntax".
    # Quoted as alembic's documentation of `Config.set_main_option` says.
    Text(
        "percent_in_database_url",
        "ckan/model/__init__.py",
        fault='            "sqlalchemy.url", config.get("sqlalchemy.url")\n',
        cure='            "sqlalchemy.url", config.get("sqlalchemy.url").replace("%", "%%")\n',
    ),
)


def cure(host: Host, site: str) -> None:
    """Cure a release that is being made of all that it has."""
    for issue in ISSUES:
        if issue.is_in(host, site):
            issue.mend(host, site)


def left(host: Host, site: str) -> list[str]:
    """Return the names of the faults that a release still has."""
    return [issue.name for issue in ISSUES if issue.is_in(host, site)]


def cured_files(site: str) -> list[str]:
    """Return the Python files that cures may have changed, so that their bytecode is made anew."""
    return [f"{site}/{issue.file}" for issue in ISSUES if issue.file.endswith(".py")]


def fingerprint() -> str:
    """Return what changes when a cure changes: such a release is another one."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
