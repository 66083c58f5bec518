"""What the cures of known issues make of upstream's functions for uploads, pages, logs and the search index."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from dcor_pkg.ckan.known_issues import registry
from tests.unit.ckan.upstream import Aborted, Denied, Unusable, load, raises

MIB = 2**20


def test_all_of_it_is_python(site: Path) -> None:
    files = [site / issue.cure.file for issue in registry.ISSUES if issue.cure.file.endswith(".py")]
    assert len(files) > 10
    for file in files:
        compile(file.read_text(), str(file), "exec")


def upload_urls(site: Path, data: dict[str, Any], check_access: Callable[..., Any] = lambda *_: True) -> Any:
    toolkit = SimpleNamespace(
        check_access=check_access,
        get_or_bust=lambda found, keys: tuple(found[key] for key in keys),
        ValidationError=Unusable,
    )
    option = raises(Aborted("it would go on"))
    action = load(
        site / "ckanext/dcor_schemas/actions.py",
        "get_resource_upload_s3_urls",
        toolkit=toolkit,
        get_ckan_config_option=option,
    )
    return action({}, data)


def test_nobody_gets_addresses_for_an_upload_unless_the_auth_function_agrees(site: Path) -> None:
    with pytest.raises(Denied):
        upload_urls(site, {}, raises(Denied()))


@pytest.mark.parametrize("size", ["x", None, "-1", "1e999", "nan", 6 * 2**40])
def test_an_impossible_size_of_a_file_is_invalid(site: Path, size: object) -> None:
    with pytest.raises(Unusable, match="5 TiB"):
        upload_urls(site, {"organization_id": "o", "file_size": size})


@pytest.mark.parametrize("size", ["1", 0, "1e9", 5 * 2**40])
def test_a_possible_size_is_accepted(site: Path, size: object) -> None:
    with pytest.raises(Aborted):
        upload_urls(site, {"organization_id": "o", "file_size": size})


@pytest.mark.parametrize("page", ["0", "-1", "x", "1000001", "9" * 20, "9" * 5000])
def test_an_absurd_number_of_a_page_is_rejected(site: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    base = ModuleType("ckan.lib.base")
    base.__dict__["abort"] = raises(Aborted())
    monkeypatch.setitem(sys.modules, "ckan", SimpleNamespace(lib=SimpleNamespace(base=base)))
    monkeypatch.setitem(sys.modules, "ckan.lib", SimpleNamespace(base=base))
    monkeypatch.setitem(sys.modules, "ckan.lib.base", base)
    number = load(site / "ckan/lib/helpers.py", "get_page_number")
    assert number({"page": "1000000"}) == 1000000
    with pytest.raises(Aborted):
        number({"page": page})


def test_each_client_of_the_store_refuses_deletions(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that a session has made before do not have what is registered later."""
    done: list[str] = []
    session = SimpleNamespace(
        client=lambda **_: done.append("client"),
        resource=lambda **_: done.append("resource"),
    )
    guard = SimpleNamespace(guard=lambda guarded: done.append("guard" if guarded is session else "other"))
    monkeypatch.setitem(sys.modules, "dcor_runtime", SimpleNamespace(own_store=guard))
    get_s3 = load(
        site / "dcor_shared/s3.py",
        "get_s3",
        boto3=SimpleNamespace(Session=lambda **_: session),
        Config=dict,
        get_ckan_config_option=lambda _: "true",
    )
    get_s3()
    assert done == ["guard", "client", "resource"]


class Lines:
    """A log of a measurement, as h5py gives it."""

    def __init__(self, *lines: bytes, size: int = 0) -> None:
        self.lines, self.size, self.nbytes = lines, len(lines), size
        self.reads = 0

    def __iter__(self) -> Any:
        raise AssertionError("It is read line by line.")

    def __getitem__(self, which: slice) -> tuple[bytes, ...]:
        self.reads += 1
        return self.lines[which]


def test_a_log_is_read_at_once(site: Path) -> None:
    logs = load(site / "dclab/rtdc_dataset/fmt_hdf5/logs.py", "H5Logs")
    lines = Lines(b"a", "\u00e4".encode())
    assert logs({"logs": {"x": lines}})["x"] == ["a", "\u00e4"]
    assert lines.reads == 1


def served_logs(site: Path, artifacts: dict[str, dict[str, Lines]]) -> Any:
    file = site / "ckanext/dc_serve/serve.py"

    def handle(_: str, artifact: str) -> SimpleNamespace:
        logs = artifacts[artifact]
        return SimpleNamespace(h5file={"logs": logs}, logs={name: list(lines[:]) for name, lines in logs.items()})

    known: dict[str, Any] = {
        "MAX_PART_SIZE": 32 * MIB,
        "logic": SimpleNamespace(ValidationError=Unusable),
        "s3cc": SimpleNamespace(get_s3_dc_handle=handle),
        "logger": SimpleNamespace(warning=lambda _: None),
    }
    for name in ("require_small", "get_dc_logs"):
        known[name] = load(file, name, **known)
    return load(file, "get_resource_logs", **known)("resource")


def test_logs_are_those_of_the_file_and_those_that_its_condensed_file_adds(site: Path) -> None:
    logs = {"resource": {"a": Lines(b"1")}, "condensed": {"a": Lines(b"2"), "b": Lines(b"3")}}
    assert served_logs(site, logs) == {"a": [b"1"], "b": [b"3"]}
    del logs["condensed"]
    assert served_logs(site, logs) == {"a": [b"1"]}


def test_logs_that_are_too_large_are_not_answered(site: Path) -> None:
    with pytest.raises(Unusable, match="logs have 33554433 bytes"):
        served_logs(site, {"resource": {"a": Lines(size=16 * MIB), "b": Lines(size=16 * MIB + 1)}})


def test_no_other_query_reads_logs_or_tables(site: Path) -> None:
    text = (site / "ckanext/dc_serve/serve.py").read_text()
    assert text.count("get_dc_logs(ds_res") == text.count("get_dc_tables(ds_res") == 1
    assert "get_dc_logs(ds_con" not in text


@pytest.mark.parametrize("field", ["title", "authors", "doi", "references"])
def test_a_text_that_is_too_long_for_the_index_is_invalid(site: Path, field: str) -> None:
    toolkit = SimpleNamespace(get_validator=str, get_converter=str, Invalid=Unusable)
    modify = load(
        site / "ckanext/dcor_schemas/plugin.py",
        "_modify_package_schema",
        REMOVE_PACKAGE_FIELDS=[],
        toolkit=toolkit,
        dclab=SimpleNamespace(dfn=SimpleNamespace(CFG_METADATA=[], config_keys={})),
        rss=SimpleNamespace(get_composite_item_list=list),
    )
    limited, *others = modify(None, {"state": [], "title": ["unicode_safe"], "resources": {}})[field]
    assert others
    assert limited("\u00e4" * 15000) == "\u00e4" * 15000
    assert limited(None) is None
    with pytest.raises(Unusable, match=r"At most 30000 bytes .* this has 30001"):
        limited("\u00e4" * 15000 + "x")


@pytest.mark.parametrize(("private", "seconds"), [(False, 600), (True, 3600)])
@pytest.mark.parametrize(
    ("file", "view"),
    [("dc_serve", "dccondense"), ("dc_serve", "dcresource"), ("dc_view", "dcpreview")],
)
def test_a_signed_link_does_not_outlive_a_withdrawal_by_more_than_minutes(
    site: Path, file: str, view: str, private: bool, seconds: int
) -> None:
    links: list[dict[str, Any]] = []
    shown = {"name": "x.rtdc", "s3_available": True, "private": private, "organization": {"id": "o"}}
    client = SimpleNamespace(head_object=lambda **_: None)
    store = SimpleNamespace(
        get_s3=lambda: (client, None, None),
        is_available=lambda: True,
        create_presigned_url=lambda **asked: links.append(asked),
    )
    answer = load(
        site / f"ckanext/{file}/route_funcs.py",
        view,
        model=SimpleNamespace(Session=None),
        c=SimpleNamespace(user="", userobj=None),
        current_user=SimpleNamespace(name=""),
        logic=SimpleNamespace(NotFound=KeyError, NotAuthorized=Denied),
        toolkit=SimpleNamespace(get_action=lambda _: lambda *_: shown, redirect_to=lambda link: link),
        config={"dcor_object_store.bucket_name": "circle-{organization_id}"},
        botocore=SimpleNamespace(exceptions=SimpleNamespace(ClientError=Aborted)),
        s3=store,
        s3cc=SimpleNamespace(
            artifact_exists=lambda **_: True, get_s3_bucket_object_for_artifact=lambda **_: ("b", "k")
        ),
    )
    answer(*("d", "r-" * 18, "x")[: answer.__code__.co_argcount])
    assert [link["expiration"] for link in links] == [seconds]


class Vanishing:
    """The module `os`, in which another process has removed a file since it was seen."""

    path = SimpleNamespace(isfile=lambda _: True)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def test_an_entry_of_the_cache_of_assets_is_written_that_another_process_has_just_removed(
    site: Path, tmp_path: Path
) -> None:
    known = {"os": Vanishing(), "path": os.path, "tempfile": tempfile, "pickle": pickle, "make_md5": lambda *_: "key"}
    write = load(site / "webassets/cache.py", "FilesystemCache", BaseCache=object, **known).set
    write(SimpleNamespace(V=2, directory=str(tmp_path), new_file_mode=None), "key", "data")
    assert pickle.loads((tmp_path / "key").read_bytes()) == "data"
