"""Known issues of a machine, not of upstream's code: reproduced, found by name, and cured by one converge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dcor_dev import layers
from dcor_dev.machine import Machine
from users import make_user, run_client
from website import CURL, SITE, wait_for_page

SOLR = (
    "curl --silent --show-error --fail --config /etc/dcor-solr/probe.conf --header 'Content-Type: application/json' "
    "--data-binary @- 'http://127.0.0.1:8983/solr/ckan/update?commit=true'"
)
#: a document of a dataset that the database does not have
LEFT_OVER = {
    "index_id": "left-over",
    "id": "left-over",
    "name": "left-over",
    "title": "left over",
    "site_id": "default",
    "entity_type": "package",
    "dataset_type": "dataset",
    "state": "active",
    "capacity": "public",
    "permission_labels": ["public"],
}


@pytest.fixture(scope="module")
def machine(installed: layers.Stack, package_mounts: dict[Path, str]) -> Iterator[Machine]:
    """Return a server on which each test leaves nothing that differs."""
    with Machine("issues", installed, read_only=package_mounts) as machine:
        wait_for_page(machine)
        yield machine


def found(machine: Machine) -> dict[str, str | None]:
    """Return the known issue of each step that differs."""
    done = machine.run("dcor-server", "check", "--json", check=False)
    report = json.loads(done.stdout)
    differing = {it["step"]: it["known_issue"] for it in report["steps"] if it["reason"]}
    assert (done.returncode, report["schema"], report["right"]) == (3 if differing else 0, 1, not differing)
    return differing


def converge(machine: Machine) -> str:
    """Converge, show that a second run changes nothing, and return what the first one did."""
    done = machine.run("dcor-server", "converge", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 changed, " in f"\n{machine.run('dcor-server', 'converge').stdout}"
    assert found(machine) == {}
    return done.stdout


def searched(machine: Machine) -> Any:
    """Return what a visitor finds."""
    return json.loads(machine.shell(f"{CURL} --fail '{SITE}/api/3/action/package_search'"))["result"]


def indexed(machine: Machine) -> dict[str, Any]:
    """Return the version of each document of the index, which another one has that was indexed again."""
    query = "q=*:*&fl=id,_version_&rows=100&wt=json"
    answer = machine.shell(
        f"curl --silent --show-error --fail --config /etc/dcor-solr/probe.conf 'http://127.0.0.1:8983/solr/ckan/select?{query}'"
    )
    return {it["id"]: it["_version_"] for it in json.loads(answer)["response"]["docs"]}


def test_an_issue_is_explained_and_an_unknown_name_is_one_sentence(machine: Machine) -> None:
    german = machine.run("env", "LC_ALL=de_DE.UTF-8", "dcor-server", "check", "--explain", "lost_documents").stdout
    assert "Ursache: " in german
    done = machine.run("dcor-server", "check", "--explain", "lost_document", check=False)
    assert (done.returncode, "the nearest names are lost_documents" in done.stderr) == (1, True)
    assert "float_expiry" in machine.run("dcor-server", "check", "--explain").stdout
    assert found(machine) == {}


def test_documents_that_differ_are_repaired_one_by_one(machine: Machine) -> None:
    token = make_user(machine, "owner").token
    run_client(machine, "publish_datasets", "--token", token, "--files", "1", "1")
    before = indexed(machine)
    assert len(before) == searched(machine)["count"] == 2
    lost, *_ = sorted(before)
    change = {"delete": {"query": f'id:"{lost}"'}, "add": {"doc": LEFT_OVER}}
    machine.run("bash", "-euc", SOLR, text=json.dumps(change))
    # The number is right, and the dataset is not found, though it is there.
    assert searched(machine)["count"] == 2
    assert lost not in {it["id"] for it in searched(machine)["results"]}
    machine.shell(f"{CURL} --fail --output /dev/null '{SITE}/api/3/action/package_show?id={lost}'")
    assert found(machine) == {"documents of the search index": "lost_documents"}
    said = converge(machine)
    assert f"documents of the search index: lacks 1 (such as {lost}) and has left over 1 (such as left-over)" in said
    after = indexed(machine)
    assert set(after) == set(before)
    # The other one was not touched: the index was not emptied.
    assert [identity for identity in before if after[identity] == before[identity]] == sorted(before)[1:]
    assert lost in {it["id"] for it in searched(machine)["results"]}
