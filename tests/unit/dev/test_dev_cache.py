"""What is kept outside the checkout is found by what it is made of, is whole, and does not stay for ever."""

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
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep things in a cache of the test's own."""
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    return tmp_path / "cache/things"


def touch(target: Path) -> None:
    (target / "file").write_text("made")


def fail(target: Path) -> None:
    (target / "half").write_text("")
    raise RuntimeError


def test_a_key_depends_on_each_input_and_on_where_it_ends() -> None:
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
    (top / "link").symlink_to("elsewhere")


Change = Callable[[Path], object]
CHANGES: list[Change] = [
    lambda top: (top / "a").write_text("other"),
    lambda top: (top / "a").rename(top / "b"),
    lambda top: (top / "a").chmod(0o755),
    lambda top: (top / "sub/new").write_text(""),
    relink,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_key_of_a_folder_changes_with_what_is_in_it(tmp_path: Path, change: Change) -> None:
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True)
    (top / "a").write_text("text")
    (top / "link").symlink_to("a")
    before = cache.key(top)
    change(top)
    assert cache.key(top) != before


def test_a_key_of_a_folder_does_not_change_with_its_place_time_or_bytecode(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a").write_text("text")
    before = cache.key(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    os.utime(tmp_path / "two/a", (1, 1))
    (tmp_path / "two/__pycache__").mkdir()
    (tmp_path / "two/__pycache__/a.pyc").write_text("")
    assert cache.key(tmp_path / "two") == before


def test_it_is_made_once() -> None:
    made = cache.folder("things", "one", touch)
    assert (made / "file").read_text() == "made"
    assert cache.folder("things", "one", fail) == made


def test_half_of_it_is_never_there(shelf: Path) -> None:
    with pytest.raises(RuntimeError):
        cache.folder("things", "one", fail)
    assert [path.name for path in shelf.iterdir()] == [".one.lock"]
    assert not (cache.folder("things", "one", touch) / "half").exists()


def test_what_a_killed_process_left_is_made_anew(shelf: Path) -> None:
    (shelf / ".one.new").mkdir(parents=True)
    (shelf / ".one.new/half").write_text("")
    assert [path.name for path in cache.folder("things", "one", touch).iterdir()] == ["file"]


def used(shelf: Path, name: str, seconds_ago: float) -> None:
    """Make something that was last asked for some time ago."""
    cache.folder("things", name, touch)
    past = time.time() - seconds_ago
    os.utime(shelf / f".{name}.lock", (past, past))


def kept(shelf: Path) -> list[str]:
    return sorted(path.name for path in shelf.glob("[!.]*"))


def test_what_nobody_asks_for_goes_when_something_new_is_made(shelf: Path) -> None:
    used(shelf, "used", 0)
    used(shelf, "old", cache.UNUSED + 60)
    cache.folder("things", "used", fail)
    cache.folder("things", "new", touch)
    assert kept(shelf) == ["new", "used"]


def test_of_a_family_the_last_few_stay(shelf: Path) -> None:
    for age in range(1, 7):
        used(shelf, f"a-{age}", age * 60)
        used(shelf, f"b-{age}", age * 60)
    cache.folder("things", "a-new", touch)
    assert [name for name in kept(shelf) if name.startswith("a-")] == ["a-1", "a-2", "a-3", "a-new"]
    assert len([name for name in kept(shelf) if name.startswith("b-")]) == cache.KEPT


def test_what_is_being_made_or_mounted_stays(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.folder("things", "made", touch)
    for name in ("mounted", "made"):
        used(shelf, name, cache.UNUSED + 60)
    monkeypatch.setattr(cache, "_mounted", lambda folder: folder.name == "mounted")
    with (shelf / ".made.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache.folder("things", "new", touch)
    assert kept(shelf) == ["made", "mounted", "new"]


#: Asks for the same thing as another process, and says whether it was made here.
ASK = """
import sys, time
from pathlib import Path
from dcor_dev import cache
cache.CACHE = Path(sys.argv[1])
def make(target):
    print("made", flush=True)
    time.sleep(0.3)
    (target / "file").write_text("made")
print((cache.folder("things", "one", make) / "file").read_text())
"""


def test_who_asks_while_it_is_made_waits_for_it(shelf: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", ASK, str(shelf.parent)]
    asking = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(3)]
    said = sorted(process.communicate()[0] for process in asking)
    assert said == ["made\n", "made\n", "made\nmade\n"]


def test_what_is_asked_for_while_old_things_are_looked_through_stays(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used(shelf, "old", cache.UNUSED + 60)
    remove = cache._remove_unused

    def remove_later(old: Path, lock: Path, asked: float) -> None:
        lock.touch()
        remove(old, lock, asked)

    monkeypatch.setattr(cache, "_remove_unused", remove_later)
    cache.folder("things", "new", touch)
    assert kept(shelf) == ["new", "old"]
