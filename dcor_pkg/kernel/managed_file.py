"""Files that dcor-server writes into /etc, and what happens when an admin has changed one.

The hash of what was last written is recorded. A file that still has it is replaced by the new version. A file that
an admin has changed is kept; its new version is written to FILE.dcor-new, and the report says so. When the admin
moves that one over the file, or removes the file, dcor-server manages it again and reloads the service that reads it.

What is there before the first writing is another program's: it goes to FILE.before-dcor-server.

A text that nobody can have meant, an empty one for example, is damage and no edit: the file is written anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, count

from dcor_pkg.errors import CommandFailed, DcorError, command_line
from dcor_pkg.kernel import pending, templates
from dcor_pkg.machine import state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CONFIGURATION, STATE
from dcor_pkg.machine.trusted_path import ROOT

#: the hashes of what was written, by path; an empty list for a file that an admin has changed
STATE_FILE = f"{STATE}/managed.json"
NEW_VERSION_ENDING = ".dcor-new"
#: where the text of a damaged file goes; an administrator may want to look at it
DAMAGED = f"{STATE}/damaged"
#: the ending of a file that was there before, and what the first line of each of ours says (debian/dcor-server.postrm)
ASIDE_ENDING, SIGN = ".before-dcor-server", "Managed by dcor-server"
#: directories whose programs read each file in them, or complain about it; new versions go to CONFIGURATION instead
READ_AS_A_WHOLE = ("/etc/apt/apt.conf.d", "/etc/logrotate.d")
PUBLIC, SECRET = Access(0o644), Access(0o600)


@dataclass(frozen=True)
class ManagedFile:
    """A file made from a template. `then`: the actions ("reload UNIT") that are pending after a change."""

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
        wanted = self.text(host)
        if found != wanted and (reason := self._is_no_edit(host, found)) is not None:
            return reason
        if (drift := host.access_drift(self.path, self.access)) is not None:
            return drift
        if is_ours(host, self.path, found):
            return None if found == wanted else "differs from what the settings need"
        if found == wanted:
            return "has the text of dcor-server again, and is not recorded and loaded as such yet"
        new = new_version(self.path)
        return None if host.read(new) == wanted else f"was changed locally, so its new version goes to {new}"

    def apply(self, host: Host) -> None:
        """Write the file; where an admin has changed it, write the new version next to it and keep the file."""
        wanted = self.text(host)
        if host.read(self.path) != wanted and is_foreign(host, self.path, host.read(self.path)):
            _put_aside(host, self.path)
        found = host.read(self.path)
        if found not in (None, wanted) and self.damage(found or "") is not None:
            host.write(f"{DAMAGED}/{self.path.rpartition('/')[2]}", found or "", SECRET)
        elif found not in (None, wanted) and not is_ours(host, self.path, found or ""):
            host.write(new_version(self.path), wanted, self.access)
            adopt(host, self.path, found or "", self.access)
            return
        for action in self.then:
            pending.request(host, action)
        record(host, self.path, wanted)
        host.write(self.path, wanted, self.access)
        host.remove(new_version(self.path))

    def _is_no_edit(self, host: Host, text: str) -> str | None:
        """Return why a text is replaced that is not ours, or None."""
        if is_foreign(host, self.path, text):
            return f"is another program's, so it is moved to {aside(host, self.path)}"
        damage = self.damage(text)
        return None if damage is None else f"{damage}, so it is written anew"

    def damage(self, text: str) -> str | None:
        """Return why a text is not an edit of an administrator, or None."""
        if not text.strip():
            return "is empty"
        return "has bytes that are zero" if "\0" in text else None

    def text(self, host: Host) -> str:
        """Return the text that the file should have."""
        return templates.render(self.template, self.values, host)


@dataclass(frozen=True)
class ValidatedFiles:
    """Files that a program can only validate together, in their places: where it fails, the old ones are restored."""

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
                _restore(host, path, text, access)
            state_file.write(host, STATE_FILE, hashes)
            reason = f"`{command_line(self.validate)}` finds an error in the new configuration; the old one stays"
            raise DcorError(reason, error.hint) from None


def new_version(path: str) -> str:
    """Return where the new version of a file goes that an admin has changed."""
    return _beside(path, NEW_VERSION_ENDING)


def aside(host: Host, path: str) -> str:
    """Return where the file of another program goes: a free name."""
    name = _beside(path, ASIDE_ENDING)
    return next(it for it in chain([name], (f"{name}.{number}" for number in count(2))) if not host.exists(it))


def is_foreign(host: Host, path: str, text: str | None) -> bool:
    """Tell whether a file was never written by dcor-server: neither is it recorded, nor does it say so itself."""
    return text is not None and not is_recorded(host, path) and SIGN not in text.partition("\n")[0]


def is_ours(host: Host, path: str, text: str) -> bool:
    """Tell whether `text` is what dcor-server last wrote to `path`."""
    return _hash(text) in _hashes(host).get(path, [])


def record(host: Host, path: str, text: str) -> None:
    """Record what is about to be written, next to what was written before: after a power cut it is one of the two."""
    hashes = _hashes(host)
    state_file.write(host, STATE_FILE, {**hashes, path: [_hash(text), *hashes.get(path, [])[:1]]})


def adopt(host: Host, path: str, text: str, access: Access) -> None:
    """Write a text of the admin, and record that it is one."""
    host.write(path, text, access)
    state_file.write(host, STATE_FILE, {**_hashes(host), path: []})


def is_recorded(host: Host, path: str) -> bool:
    """Tell whether this is a file that dcor-server has written and not removed since."""
    return path in _hashes(host)


def remove(host: Host, path: str, owner: str = ROOT) -> None:
    """Remove a file that is not needed any more, also in a directory of `owner`, and what is recorded of it."""
    host.remove(path, owner)
    state_file.write(host, STATE_FILE, {known: hashes for known, hashes in _hashes(host).items() if known != path})


def changed_by_admin(host: Host) -> list[str]:
    """Return the paths of the managed files that an admin has changed, and that are therefore kept."""
    return [
        path
        for path, known in sorted(_hashes(host).items())
        if (found := host.read(path)) is not None and _hash(found) not in known
    ]


def _beside(path: str, ending: str) -> str:
    directory, _, name = path.rpartition("/")
    return f"{CONFIGURATION if directory in READ_AS_A_WHOLE else directory}/{name}{ending}"


def _put_aside(host: Host, path: str) -> None:
    """Move a file, in such a way that after a power cut it is either in its place or complete in the new one."""
    host.write(aside(host, path), host.read(path) or "", host.access(path) or PUBLIC)
    host.remove(path)


def _restore(host: Host, path: str, text: str | None, access: Access | None) -> None:
    if text is None or access is None:
        host.remove(path)
    else:
        host.write(path, text, access)


def _hashes(host: Host) -> dict[str, list[str]]:
    """Return the recorded hashes by path."""
    return state_file.read(host, STATE_FILE, {})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
