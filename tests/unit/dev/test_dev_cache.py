"""Cache entries are found by their inputs, are complete, and are removed when they are not used."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dcor_dev import cache


@pytest.fixture(autouse=True)
def entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the entries in a cache of the test's own."""
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    return tmp_path / "cache/things"


def touch(target: Path) -> None:
    (target / "file").write_text("made")


def fail(target: Path) -> None:
    (target / "half").write_text("")
    raise RuntimeError


def test_a_key_depends_on_each_input_and_on_their_boundaries() -> None:
    keys = {
        cache.key("ab", "c"),
        cache.key("a", "bc"),
        cache.key("abc"),
        cache.key("c", "ab"),
        cache.key("ab", "c", ""),
    }
    assert len(keys) == 5
    assert cache.key("ab", "c") == cache.key(b"ab", "c")


def relink(top: Path) -> None:
    (top / "link").unlink()
    (top / "link").symlink_to("other")


Change = Callable[[Path], object]
CHANGES: list[Change] = [
    lambda top: (top / "a").write_text("other"),
    lambda top: (top / "a").rename(top / "b"),
    lambda top: (top / "a").chmod(0o755),
    lambda top: (top / "sub/new").write_text(""),
    relink,
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_key_of_a_directory_depends_on_its_content(tmp_path: Path, change: Change) -> None:
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True)
    (top / "a").write_text("text")
    (top / "link").symlink_to("a")
    before = cache.key(top)
    change(top)
    assert cache.key(top) != before


def test_the_key_of_a_directory_does_not_depend_on_its_path_times_or_bytecode(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a").write_text("text")
    before = cache.key(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    os.utime(tmp_path / "two/a", (1, 1))
    (tmp_path / "two/__pycache__").mkdir()
    (tmp_path / "two/__pycache__/a.pyc").write_text("")
    assert cache.key(tmp_path / "two") == before


def test_an_entry_is_made_once() -> None:
    made = cache.directory("things", "one", touch)
    assert (made / "file").read_text() == "made"
    assert cache.directory("things", "one", fail) == made


def test_an_incomplete_entry_is_removed(entries: Path) -> None:
    with pytest.raises(RuntimeError):
        cache.directory("things", "one", fail)
    assert [path.name for path in entries.iterdir()] == [".one.lock"]
    assert not (cache.directory("things", "one", touch) / "half").exists()


def test_the_incomplete_entry_of_a_killed_process_is_replaced(entries: Path) -> None:
    (entries / ".one.new").mkdir(parents=True)
    (entries / ".one.new/half").write_text("")
    assert [path.name for path in cache.directory("things", "one", touch).iterdir()] == ["file"]


def used(entries: Path, name: str, seconds_ago: float) -> None:
    """Make an entry that was last used some time ago."""
    cache.directory("things", name, touch)
    past = time.time() - seconds_ago
    os.utime(entries / f".{name}.lock", (past, past))


def names(entries: Path) -> list[str]:
    return sorted(path.name for path in entries.glob("[!.]*"))


def test_an_unused_entry_is_removed_when_a_new_one_is_made(entries: Path) -> None:
    used(entries, "used", 0)
    used(entries, "old", cache.UNUSED_SECONDS + 60)
    cache.directory("things", "used", fail)
    cache.directory("things", "new", touch)
    assert names(entries) == ["new", "used"]


def test_the_last_used_entries_of_a_family_stay(entries: Path) -> None:
    for age in range(1, 7):
        used(entries, f"a-{age}", age * 60)
        used(entries, f"b-{age}", age * 60)
    cache.directory("things", "a-new", touch)
    assert [name for name in names(entries) if name.startswith("a-")] == ["a-1", "a-2", "a-3", "a-new"]
    assert len([name for name in names(entries) if name.startswith("b-")]) == cache.ENTRIES_PER_FAMILY


def test_an_entry_that_is_being_made_or_is_mounted_stays(entries: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.directory("things", "made", touch)
    for name in ("mounted", "made"):
        used(entries, name, cache.UNUSED_SECONDS + 60)
    monkeypatch.setattr(cache, "_mounted", lambda directory: directory.name == "mounted")
    with (entries / ".made.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache.directory("things", "new", touch)
    assert names(entries) == ["made", "mounted", "new"]


#: Requests the same entry as other processes, and prints whether this process has made it.
REQUEST = """
import sys, time
from pathlib import Path
from dcor_dev import cache
cache.CACHE = Path(sys.argv[1])
def make(target):
    print("made", flush=True)
    time.sleep(0.3)
    (target / "file").write_text("made")
print((cache.directory("things", "one", make) / "file").read_text())
"""


def test_a_process_waits_for_an_entry_that_another_one_makes(entries: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", REQUEST, str(entries.parent)]
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    outputs = sorted(process.communicate()[0] for process in processes)
    assert outputs == ["made\n", "made\n", "made\nmade\n"]


def test_an_old_entry_that_is_used_during_the_search_for_old_ones_stays(
    entries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(entries, "old", cache.UNUSED_SECONDS + 60)
    remove = cache._remove_unused  # noqa: SLF001 (which this test delays)

    def remove_later(old: Path, lock: Path, last_used: float) -> None:
        lock.touch()
        remove(old, lock, last_used)

    monkeypatch.setattr(cache, "_remove_unused", remove_later)
    cache.directory("things", "new", touch)
    assert names(entries) == ["new", "old"]
