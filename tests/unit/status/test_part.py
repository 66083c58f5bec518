"""Of several parts with a problem the one is named that the others need."""

from __future__ import annotations

from dcor_pkg.status.part import Part, with_causes
from dcor_pkg.status.questions import NEEDS

PARTS = ("database", "redis", "solr", "object-store", "nginx", "web", "stored files", "search", "page")


def roots(*failing: str) -> set[str]:
    parts = with_causes([Part(name, "hangs" if name in failing else None) for name in PARTS], NEEDS)
    return {part.name for part in parts if part.is_root}


def test_who_waits_for_a_part_that_hangs_is_not_blamed() -> None:
    assert roots("database", "web", "search", "page", "stored files") == {"database"}
    assert roots("redis", "web", "search", "page") == {"redis"}
    assert roots("solr", "search") == {"solr"}
    assert roots("web", "search", "page") == {"web"}
    assert roots("nginx", "search", "page") == {"nginx"}
    assert roots("object-store", "stored files") == {"object-store"}


def test_a_part_that_fails_alone_is_its_own_cause() -> None:
    for name in PARTS:
        assert roots(name) == {name}


def test_two_parts_that_do_not_need_each_other_are_both_named() -> None:
    assert roots("redis", "object-store", "stored files") == {"redis", "object-store"}


def test_every_part_that_is_needed_is_asked() -> None:
    assert {need for needs in NEEDS.values() for need in needs} <= set(PARTS)
