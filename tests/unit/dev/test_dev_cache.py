"""What is kept outside the checkout is found by what it is made of, is whole, and does not stay for ever."""

from __future__ import annotations

import fcntl
import os
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
def test_a_key_of_a_directory_changes_with_what_is_in_it(tmp_path: Path, change: Change) -> None:
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True)
    (top / "a").write_text("text")
    (top / "link").symlink_to("a")
    before = cache.key(top)
    change(top)
    assert cache.key(top) != before


def test_a_key_of_a_directory_does_not_change_with_its_place_time_or_bytecode(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/a").write_text("text")
    before = cache.key(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    os.utime(tmp_path / "two/a", (1, 1))
    (tmp_path / "two/__pycache__").mkdir()
    (tmp_path / "two/__pycache__/a.pyc").write_text("")
    assert cache.key(tmp_path / "two") == before


def test_it_is_made_once() -> None:
    made = cache.directory("things", "one", touch)
    assert (made / "file").read_text() == "made"
    assert cache.directory("things", "one", fail) == made


def test_half_of_it_is_never_there(shelf: Path) -> None:
    with pytest.raises(RuntimeError):
        cache.directory("things", "one", fail)
    assert [path.name for path in shelf.iterdir()] == [".one.lock"]
    assert not (cache.directory("things", "one", touch) / "half").exists()


def test_what_a_killed_process_left_is_made_anew(shelf: Path) -> None:
    (shelf / ".one.new").mkdir(parents=True)
    (shelf / ".one.new/half").write_text("")
    assert [path.name for path in cache.directory("things", "one", touch).iterdir()] == ["file"]


def used(shelf: Path, name: str, seconds_ago: float) -> None:
    """Make something that was last asked for some time ago."""
    cache.directory("things", name, touch)
    past = time.time() - seconds_ago
    os.utime(shelf / f".{name}.lock", (past, past))


def kept(shelf: Path) -> list[str]:
    return sorted(path.name for path in shelf.glob("[!.]*"))


def test_what_nobody_asks_for_goes_when_something_new_is_made(shelf: Path) -> None:
    used(shelf, "used", 0)
    used(shelf, "old", cache.UNUSED + 60)
    cache.directory("things", "used", fail)
    cache.directory("things", "new", touch)
    assert kept(shelf) == ["new", "used"]


def test_of_a_family_the_last_few_stay(shelf: Path) -> None:
    for age in range(1, 7):
        used(shelf, f"a-{age}", age * 60)
        used(shelf, f"b-{age}", age * 60)
    cache.directory("things", "a-new", touch)
    assert [name for name in kept(shelf) if name.startswith("a-")] == ["a-1", "a-2", "a-3", "a-new"]
    assert len([name for name in kept(shelf) if name.startswith("b-")]) == cache.KEPT


def test_what_is_being_made_or_mounted_stays(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.directory("things", "made", touch)
    for name in ("mounted", "made"):
        used(shelf, name, cache.UNUSED + 60)
    monkeypatch.setattr(cache, "_mounted", lambda directory: directory.name == "mounted")
    with (shelf / ".made.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache.directory("things", "new", touch)
    assert kept(shelf) == ["made", "mounted", "new"]
