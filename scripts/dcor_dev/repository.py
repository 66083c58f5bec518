"""Publish packages as a signed apt repository. It is never half-published, and unchanged when its packages are.

The order is what makes it whole: first the packages' files, which no client knows yet; then a complete publication,
with the former indices by their hash; then one rename; last the removal of what no kept publication names.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from dcor_dev import apt_index, durable, keyring, publication
from dcor_dev.apt_index import Entry
from dcor_dev.errors import DevError
from dcor_dev.publication import Suite
from dcor_dev.signing import Signer

#: The public keys, for whoever adds the repository without the package of the keyring.
PUBLIC_KEYS = "dcor-archive-keyring.gpg"


@dataclass(frozen=True)
class Policy:
    """What a repository promises its clients."""

    #: how many versions of each package are in the index
    versions: int
    #: how long a former index can be fetched, and the packages that it names
    former: timedelta
    #: how long apt accepts a publication; None: for ever
    valid: timedelta | None
    #: without links, and with one publication only
    plain: bool = False


#: For servers. Thirty days are longer than any server should be off, and short enough that nobody can offer old
#: packages for long; a weekly refresh may fail three times.
PUBLIC = Policy(versions=3, former=timedelta(days=30), valid=timedelta(days=30))

#: For what a build leaves, which is copied to media: exactly what was built, and accepted for ever.
BUILT = Policy(versions=0, former=timedelta(0), valid=None, plain=True)


@dataclass(frozen=True)
class Repository:
    """A repository in a directory, whose lock this process has."""

    top: Path
    signer: Signer
    policy: Policy

    def fill(self, suite: str, debs: Sequence[Path]) -> bool:
        """Make a suite consist of exactly these packages; return whether it has changed."""
        new = apt_index.scan(debs)
        return self._publish(Suite(self.top, suite), sorted(new, key=lambda entry: entry.filename), new)

    def add(self, suite: str, debs: Sequence[Path]) -> bool:
        """Add packages to a suite; return whether it has changed. Raises DevError before anything changes."""
        its = Suite(self.top, suite)
        its.tidy()
        new, published = apt_index.scan(debs), its.entries()
        for entry in new:
            apt_index.refuse_other_content(entry, self._listed())
        index = apt_index.merged(published, list(new), self.policy.versions)
        keyring.require_known(self.signer, self._deb(published, {}), "the servers have")
        keyring.require_known(self.signer, self._deb(index, new), "is published now")
        return self._publish(its, index, new)

    def refresh(self, suite: str) -> None:
        """Sign what is published anew. Raises DevError when there is nothing, or when servers do not know the keys."""
        its = Suite(self.top, suite)
        its.tidy()
        published = its.entries()
        if not published:
            raise DevError(f"{self.top} has no suite {suite}")
        keyring.require_known(self.signer, self._deb(published, {}), "the servers have")
        self._show(its, published)

    def _publish(self, suite: Suite, index: Sequence[Entry], new: Mapping[Entry, Path]) -> bool:
        if suite.entries() == list(index) and self._public_keys() == self.signer.public_key():
            return False
        for entry in index:
            self._bring(entry, new)
        self._show(suite, index)
        return True

    def _bring(self, entry: Entry, new: Mapping[Entry, Path]) -> None:
        """Bring the file of an entry to its place. Raises DevError when a published one is lost."""
        place = self.top / entry.filename
        if entry in new and not (place.exists() and apt_index.scan([place]) == {entry: place}):
            durable.bring(new[entry], place)
        if not place.exists() or place.stat().st_size != entry.size:
            raise DevError(f"{place} is missing or damaged, but {self.top} lists it: bring it back from a backup.")

    def _show(self, suite: Suite, index: Sequence[Entry]) -> None:
        """Make a publication, let clients get it, and remove what is too old."""
        former = suite.young(datetime.now(timezone.utc), self.policy.former)
        made = publication.make(suite, apt_index.render(index), former, self.signer, self.policy.valid)
        durable.write(self.top / PUBLIC_KEYS, self.signer.public_key())
        if self.policy.plain:
            suite.place(made)
        else:
            suite.show(made)
            suite.remove_all_but([*former, made])
        self._remove_unlisted()

    def _remove_unlisted(self) -> None:
        """Remove packages that no publication of any suite lists."""
        listed = {entry.filename for entry in self._listed()}
        for path in list((self.top / "pool").glob("*/*/*")):
            if str(path.relative_to(self.top)) not in listed:
                path.unlink()
        for directory in (self.top / "pool").glob("*/*"):
            if not any(directory.iterdir()):
                directory.rmdir()

    def _listed(self) -> set[Entry]:
        """Return what any publication of any suite lists."""
        suites = publication.suites(self.top)
        there = {path for suite in suites for path in (*suite.publications(), suite.current()) if path}
        return {entry for path in there for entry in publication.read_index(path)}

    def _deb(self, index: Sequence[Entry], new: Mapping[Entry, Path]) -> Path | None:
        """Return the newest package of the keyring in an index, or None."""
        entry = apt_index.newest(index, keyring.PACKAGE)
        return new.get(entry, self.top / entry.filename) if entry else None

    def _public_keys(self) -> bytes:
        path = self.top / PUBLIC_KEYS
        return path.read_bytes() if path.exists() else b""


@contextmanager
def locked(top: Path, signer: Signer, policy: Policy) -> Iterator[Repository]:
    """Provide a repository, which is made where it is missing, when no other process changes it any more."""
    durable.make_directory(top)
    with (top / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Repository(top, signer, policy)
