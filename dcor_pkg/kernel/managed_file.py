"""Files that we write into /etc, and what becomes of them when an admin has changed one.

What we last wrote is remembered by its hash. Still so on disk: replaced by the new text. Changed
by the admin: kept; the new text is laid beside it, and the report says so. A file that is moved there
from beside, or removed, is ours again, and what reads it hears of that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from dcor_pkg.errors import CommandFailed, DcorError
from dcor_pkg.kernel import pending, templates
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access, Host

MEMORY = "/var/lib/dcor-server/managed.json"
BESIDE = ".dcor-new"
#: Their programs read whatever lies in them, or complain of it; new texts for files in there lie in `ROOM`.
CROWDED = ("/etc/apt/apt.conf.d", "/etc/logrotate.d")
ROOM = "/etc/dcor-server"
PUBLIC = Access(0o644)


@dataclass(frozen=True)
class ManagedFile:
    """A file made from a template. `then` names the handlers ("reload UNIT") that a change asks for."""

    path: str
    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    access: Access = PUBLIC
    then: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"file {self.path}"

    def check(self, host: Host) -> str | None:
        found = host.read(self.path)
        if found is None:
            return "is missing"
        if (drift := host.access_drift(self.path, self.access)) is not None:
            return drift
        wanted = self.text(host)
        if is_ours(host, self.path, found):
            return None if found == wanted else "is not what the settings ask for"
        if found == wanted:
            return "is dcor-server's again, and not taken over yet"
        laid = host.read(new_version(self.path))
        return None if laid == wanted else "was changed here, and there is a new text for it"

    def apply(self, host: Host) -> None:
        """Write the file, or lay the new text beside the admin's, which from then on is not ours."""
        wanted, found = self.text(host), host.read(self.path)
        if found not in (None, wanted) and not is_ours(host, self.path, found):
            host.write(new_version(self.path), wanted, self.access)
            host.write(self.path, found or "", self.access)
            state_file.write(host, MEMORY, {**_hashes(host), self.path: []})
            return
        for handler in self.then:
            pending.request(host, handler)
        record(host, self.path, wanted)
        host.write(self.path, wanted, self.access)
        host.remove(new_version(self.path))

    def text(self, host: Host) -> str:
        """Return what should be in the file."""
        return templates.render(self.template, self.values, host)


@dataclass(frozen=True)
class ValidatedFiles:
    """Files that only a program can judge together: swapped, validated, and put back when it refuses them."""

    name: str
    files: tuple[ManagedFile, ...]
    validate: tuple[str, ...]

    def check(self, host: Host) -> str | None:
        drifts = (f"{file.path} {drift}" for file in self.files if (drift := file.check(host)) is not None)
        return next(drifts, None)

    def apply(self, host: Host) -> None:
        before = {file.path: (host.read(file.path), host.access(file.path)) for file in self.files}
        hashes = _hashes(host)
        for file in self.files:
            if file.check(host) is not None:
                file.apply(host)
        try:
            host.run(*self.validate)
        except CommandFailed as error:
            for path, (text, access) in before.items():
                _put_back(host, path, text, access)
            state_file.write(host, MEMORY, hashes)
            raise DcorError(
                f"{self.validate[0]} refuses the new configuration; the old one stays", error.hint
            ) from None


def new_version(path: str) -> str:
    """Return where the new text of a file is laid that an admin has changed."""
    directory, _, name = path.rpartition("/")
    return f"{ROOM if directory in CROWDED else directory}/{name}{BESIDE}"


def is_ours(host: Host, path: str, text: str) -> bool:
    """Tell whether `text` is what we last wrote to `path`."""
    return _hash(text) in _hashes(host).get(path, [])


def record(host: Host, path: str, text: str) -> None:
    """Remember what is about to be written, and what lies there until then: a power cut leaves one of the two."""
    hashes = _hashes(host)
    state_file.write(host, MEMORY, {**hashes, path: [_hash(text), *hashes.get(path, [])[:1]]})


def remove(host: Host, path: str) -> None:
    """Remove a file that is not wanted any more, and what we know of it."""
    host.remove(path)
    state_file.write(host, MEMORY, {known: hashes for known, hashes in _hashes(host).items() if known != path})


def changed_by_admin(host: Host) -> list[str]:
    """Return the managed files that an admin has changed, and that we therefore keep."""
    return [
        path
        for path, known in sorted(_hashes(host).items())
        if (found := host.read(path)) is not None and _hash(found) not in known
    ]


def _put_back(host: Host, path: str, text: str | None, access: Access | None) -> None:
    if text is None or access is None:
        host.remove(path)
    else:
        host.write(path, text, access)


def _hashes(host: Host) -> dict[str, list[str]]:
    """Return the hashes of what we have written, by path; none are known of a file that is not ours any more."""
    return state_file.read(host, MEMORY, {})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
