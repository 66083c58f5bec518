"""CKAN hands its database's URL to alembic as it is, which takes a % in it (of a quoted password) for its own sign.

Every command that looks at the tables then ends with "invalid interpolation syntax".
"""

from __future__ import annotations

from dcor_pkg.host import Access, Host

FILES = ("ckan/model/__init__.py",)
FAULT = '            "sqlalchemy.url", config.get("sqlalchemy.url")\n'
CURE = '            "sqlalchemy.url", config.get("sqlalchemy.url").replace("%", "%%")\n'


def has(host: Host, site: str) -> bool:
    """Tell whether the URL is handed on unquoted."""
    return FAULT in (host.read(f"{site}/{FILES[0]}") or "")


def cure(host: Host, site: str) -> None:
    """Quote it as alembic's own documentation of `Config.set_main_option` says."""
    path = f"{site}/{FILES[0]}"
    host.write(path, (host.read(path) or "").replace(FAULT, CURE), Access(0o644))
