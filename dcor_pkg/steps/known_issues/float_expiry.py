"""dcor_shared passes a float as the lifetime of a presigned URL, which Signature Version 4 refuses."""

from __future__ import annotations

from dcor_pkg.host import Access, Host

FILES = ("dcor_shared/s3.py",)
FAULT = "    return time.time()\n"
CURE = "    return int(time.time())\n"


def has(host: Host, site: str) -> bool:
    """Tell whether `create_time` returns a float."""
    return FAULT in (host.read(f"{site}/{FILES[0]}") or "")


def cure(host: Host, site: str) -> None:
    """Make it whole seconds."""
    path = f"{site}/{FILES[0]}"
    host.write(path, (host.read(path) or "").replace(FAULT, CURE), Access(0o644))
