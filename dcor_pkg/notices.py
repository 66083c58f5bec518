"""What an admin should know and what is not wrong: it changes no exit code."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg import managed_file
from dcor_pkg.errors import DcorError
from dcor_pkg.host import Host
from dcor_pkg.settings import Settings
from dcor_pkg.steps import nginx_additions
from dcor_pkg.steps.ckan_ini import ckan_ini


@dataclass(frozen=True)
class Notice:
    """A file, what is to be said of it in half a sentence, and what may be done."""

    file: str
    about: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f"\n    {self.hint}" if self.hint else ""
        return f"{self.file} {self.about}{hint}"


def collect(host: Host, settings: Settings) -> list[Notice]:
    """Return what is to be said of the files that an admin has added or changed. No secret is in it."""
    return [
        *_overruled(host, settings),
        *_refused(host),
        *(_kept(host, path) for path in managed_file.changed_here(host)),
    ]


def _overruled(host: Host, settings: Settings) -> list[Notice]:
    try:
        contradictions = ckan_ini(settings).contradictions(host)
    except DcorError as error:
        return [Notice(ckan_ini(settings).path, f"cannot be made: {error.reason}", error.hint)]
    return [
        Notice(
            option.file,
            f"sets {option}, which dcor-server sets too ({ours!r}); the addition counts",
            f"Without line {option.line}, dcor-server's counts again after: dcor-server converge",
        )
        for option, ours in contradictions
    ]


def _refused(host: Host) -> list[Notice]:
    words = nginx_additions.refusal(host) if nginx_additions.pending(host) else None
    return [Notice(nginx_additions.FOLDER, f"is not taken over: {words}")] if words else []


def _kept(host: Host, path: str) -> Notice:
    beside = managed_file.beside(path)
    way = f"mv {beside} {path}" if host.exists(beside) else f"rm {path}"
    return Notice(
        path,
        "was changed here and is kept",
        f"To have dcor-server's text instead: {way}; dcor-server converge",
    )
