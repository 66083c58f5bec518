"""CKAN's user gets exactly what it lacks of a checkout, and others keep what they have."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from dcor_pkg.ckan import readable_checkouts
from dcor_pkg.ckan.files import checkout_access as access

USER = "www-data"
NUMBER = pwd.getpwnam(USER).pw_uid
U = access.UNNAMED
PRIVATE = {(access.OWNER, U): 7, (access.GROUP, U): 0, (access.OTHER, U): 0}


def acl(path: Path, name: str = access.ACCESS) -> access.Acl:
    with access.opened(str(path)) as file:
        return access.load(file, name, path.stat().st_mode)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout that its owner alone can read, but for one directory."""
    path = tmp_path / "checkout"
    for name in ("ckanext/mine", ".git", "public"):
        (path / name).mkdir(parents=True)
    for name in ("ckanext/mine/plugin.py", ".env", ".git/config", "public/style.css"):
        (path / name).write_text("")
    for place, names, files in os.walk(path):
        for name in (*names, *files):
            Path(place, name).chmod(0o700 if name in names else 0o600)
    path.chmod(0o700)
    (path / "public").chmod(0o755)
    (path / "public/style.css").chmod(0o644)
    (path / "away").symlink_to(tmp_path)
    return path


def test_what_is_missing_is_given_and_nothing_else(checkout: Path) -> None:
    assert access.main("give", USER, str(checkout)) is True
    assert acl(checkout)[access.USER, NUMBER] == 5
    assert acl(checkout / "ckanext/mine/plugin.py")[access.USER, NUMBER] == 4
    assert acl(checkout)[access.OTHER, U] == acl(checkout)[access.GROUP, U] == 0
    untouched = [checkout.parent, *(checkout / name for name in ("public", "public/style.css", ".git", ".env"))]
    assert [path for path in untouched if (access.USER, NUMBER) in acl(path)] == []
    assert access.main("give", USER, str(checkout)) is False


def test_what_is_made_later_can_be_read_by_that_user_alone(checkout: Path) -> None:
    access.main("give", USER, str(checkout))
    former = os.umask(0o077)
    try:
        (checkout / "ckanext/mine/new.py").write_text("")
        (checkout / "ckanext/mine/more").mkdir()
    finally:
        os.umask(former)
    for name in ("new.py", "more"):
        found = acl(checkout / "ckanext/mine" / name)
        assert found[access.USER, NUMBER] & found[access.MASK, U] & access.READ
        assert found[access.OTHER, U] == found[access.GROUP, U] & found[access.MASK, U] == 0


def test_all_of_it_is_undone(checkout: Path) -> None:
    paths = [path for path in (checkout, *checkout.rglob("*")) if not path.is_symlink()]
    before = {path: mode(path) for path in paths}
    access.main("give", USER, str(checkout))
    (checkout / ".later").write_text("")
    access.main("take", USER, str(checkout), "tree")
    assert os.listxattr(checkout / ".later") == []
    assert {path: mode(path) for path in paths} == before
    assert [path for path in paths if os.listxattr(path)] == []


def test_a_directory_on_the_way_is_only_passed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    access.main("pass", USER, str(tmp_path))
    assert acl(tmp_path)[access.USER, NUMBER] == access.PASS
    assert acl(tmp_path, access.DEFAULT) == {**PRIVATE, (access.OWNER, U): 7, (access.GROUP, U): 1}
    access.main("take", USER, str(tmp_path))
    assert (mode(tmp_path), acl(tmp_path)) == (0o700, PRIVATE)


def test_nobody_else_gets_or_loses_a_bit() -> None:
    masked = {**PRIVATE, (access.GROUP, U): 7, (access.USER, 4242): 6, (access.MASK, U): 4}
    assert access.with_user(masked, NUMBER, 1) == {
        **PRIVATE,
        (access.GROUP, U): 4,
        (access.USER, 4242): 4,
        (access.USER, NUMBER): 1,
        (access.MASK, U): 5,
    }
    assert access.with_user(access.with_user(PRIVATE, NUMBER, 5), NUMBER, 0) == PRIVATE


def test_files_that_may_be_from_elsewhere_are_refused(checkout: Path) -> None:
    os.link(checkout / ".env", checkout / "ckanext/linked.py")
    with pytest.raises(access.Refused, match="has 2 names"):
        access.main("give", USER, str(checkout))


def test_a_link_in_the_place_of_the_checkout_is_not_followed(checkout: Path) -> None:
    with pytest.raises(OSError, match="symbolic links"):
        access.main("give", USER, str(checkout / "away"))


def test_the_digest_changes_with_the_code_alone(checkout: Path) -> None:
    before = access.examine(str(checkout))
    (checkout / "ckanext/__pycache__").mkdir()
    (checkout / "ckanext/__pycache__/x.pyc").write_text("")
    (checkout / ".git/HEAD").write_text("")
    assert access.examine(str(checkout)) == before
    (checkout / "ckanext/mine/plugin.py").write_text("changed = True\n")
    assert access.examine(str(checkout)) != before


def test_the_program_says_why_it_fails(tmp_path: Path) -> None:
    argv = [sys.executable, "-I", readable_checkouts.PROGRAM, "give", USER, str(tmp_path / "missing")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
