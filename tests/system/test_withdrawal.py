"""What was published is not readable any more as soon as it is deleted, private again, purged or withdrawn."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from dcor_dev.machine import Machine
from users import User, make_user, run_client
from website import CURL, SITE

#: for a background job that waits for the store
JOB_SECONDS = 120
STORE = "dcor-object-store.service"
#: how many files each dataset for the tests has
FILES = (2, 2, 1, 1, 1, 1, 1, 1)


@dataclass
class Published:
    """A dataset that everybody can read, and what its users do with it. Objects are paths in the store."""

    machine: Machine
    dataset: str
    resources: dict[str, list[str]]
    sysadmin: User
    owner: User
    everything: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.everything = [it for objects in self.resources.values() for it in objects]

    def act(self, action: str, *, by: User | None = None, **data: Any) -> int:
        """Call an action of CKAN, and return the status of the answer."""
        token = (by or self.sysadmin).token
        body = shlex.quote(json.dumps(data))
        asked = f"--header \"Authorization: $(cat {token})\" --header 'Content-Type: application/json' --data {body}"
        answer = self.machine.shell(f"{CURL} --write-out ' %{{http_code}}' {asked} {SITE}/api/3/action/{action}")
        return int(answer.rpartition(" ")[2])

    def patch(self, *, by: User | None = None, **data: Any) -> int:
        """Change the dataset."""
        return self.act("package_patch", by=by, id=self.dataset, **data)

    def statuses(self, objects: list[str] | None = None) -> set[int]:
        """Return how the store answers a stranger's requests for these objects, by default all of the dataset."""
        addresses = " ".join(f"--output /dev/null {SITE}{it}" for it in objects or self.everything)
        return set(map(int, self.machine.shell(f"{CURL} --write-out '%{{http_code}}\n' {addresses}").split()))

    def withdraw(self, *arguments: str, target: str = "") -> tuple[int, Any]:
        """Run the verb; return its exit code and its JSON."""
        command = ("dcor-server", "withdraw", "--json", *arguments, target or self.dataset)
        done = self.machine.run(*command, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


@pytest.fixture(scope="module")
def published(server: Machine) -> dict[int, list[Published]]:
    """Return datasets that everybody can read, for all tests, by their numbers of files; a file is three objects."""
    sysadmin, owner = make_user(server, "boss", sysadmin=True), make_user(server, "owner")
    made: Any = run_client(server, "publish_datasets", "--token", owner.token, "--files", *map(str, FILES))
    datasets = [Published(server, it["dataset"], it["resources"], sysadmin, owner) for it in made]
    assert [len(it.everything) for it in datasets] == [3 * files for files in FILES]
    return {files: [it for it in datasets if len(it.resources) == files] for files in set(FILES)}


@pytest.fixture(scope="module")
def kept(published: dict[int, list[Published]]) -> Published:
    """Return a dataset that all tests leave as it is."""
    return published[1].pop()


@pytest.fixture
def public(published: dict[int, list[Published]], kept: Published) -> Published:
    """Return a dataset of one file."""
    dataset = published[1].pop()
    assert (dataset.statuses(), kept.statuses()) == ({200}, {200})
    return dataset


@pytest.fixture
def pair(published: dict[int, list[Published]]) -> Published:
    """Return a dataset of two files."""
    dataset = published[2].pop()
    assert dataset.statuses() == {200}
    return dataset


def wait_for(public: Published, statuses: set[int]) -> None:
    """Wait for a background job."""
    end = time.monotonic() + JOB_SECONDS
    while (found := public.statuses()) != statuses:
        assert time.monotonic() < end, found
        time.sleep(1)


def test_a_dataset_that_is_private_again_is_not_readable_until_it_is_public_again(public: Published) -> None:
    assert public.patch(by=public.owner, private=True) == 403
    assert public.statuses() == {200}
    assert public.patch(private=True) == 200
    assert public.statuses() == {403}
    assert public.patch(by=public.owner, private=False) == 200
    assert public.statuses() == {200}
    circle = public.everything[0].split("/")[1].removeprefix("circle-")
    for action, statuses in (("private", {403}), ("public", {200}), ("delete", {403})):
        assert public.act(f"bulk_update_{action}", datasets=[public.dataset], org_id=circle) == 200
        assert public.statuses() == statuses, action


@pytest.mark.long
def test_the_nightly_jobs_leave_data_as_they_are_and_what_was_deleted_or_purged_lately(
    public: Published, published: dict[int, list[Published]], kept: Published
) -> None:
    purged = published[1].pop()
    asked = f"{CURL} '{SITE}/api/3/action/package_show?id={kept.dataset}'"
    before = public.machine.shell(asked)
    for it in (public, purged):
        assert it.act("package_delete", id=it.dataset) == 200
        assert it.statuses() == {403}
    assert purged.act("dataset_purge", id=purged.dataset) == 200
    public.machine.shell("systemctl start dcor-nightly.service", timeout=900)
    assert public.machine.run("systemctl", "show", "--property=Result", "dcor-nightly").stdout == "Result=success\n"
    assert public.statuses() == {403}
    assert exist(public.machine, purged.everything) == 3
    assert (kept.statuses(), public.machine.shell(asked)) == ({200}, before)
    assert public.patch(state="active") == 200
    assert public.statuses() == {200}
    public.machine.run("ckan", "dataset", "delete", public.dataset)
    assert public.statuses() == {403}


def test_a_deleted_file_is_not_readable_and_the_others_are(pair: Published) -> None:
    deleted, other = pair.resources
    assert pair.act("resource_delete", by=pair.owner, id=deleted) == 403
    assert pair.act("resource_delete", id=deleted) == 200
    assert pair.statuses(pair.resources[deleted]) == {403}
    assert pair.statuses(pair.resources[other]) == {200}


def test_what_the_nightly_job_removes_was_purged(public: Published, kept: Published) -> None:
    """It keeps what the database contains, what it never contained, and keys that are not DCOR's."""
    bucket = public.everything[0].split("/")[1]
    unknown = f"resource/{'0' * 3}/{'1' * 3}/{'2' * 30}"
    put = "import sys; from dcor_shared import s3; s3.get_s3()[0].put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=b'x')"
    release_run = "setpriv --reuid www-data --regid www-data --init-groups /var/lib/dcor-server/current/bin/python -c"
    for key in (unknown, "foreign/key"):
        public.machine.shell(f"{release_run} {shlex.quote(put)} {bucket} {key}")
    assert public.act("package_delete", id=public.dataset) == 200
    assert public.act("dataset_purge", id=public.dataset) == 200
    assert public.statuses() == {403}
    assert exist(public.machine, [*public.everything, f"/{bucket}/{unknown}", f"/{bucket}/foreign/key"]) == 5
    public.machine.run("dcor-server", "nightly", "--days", "0", timeout=900)
    assert exist(public.machine, public.everything) == 0
    assert exist(public.machine, [f"/{bucket}/{unknown}", f"/{bucket}/foreign/key"]) == 2
    assert kept.statuses() == {200}
    unknown_now = json.loads(public.machine.run("dcor-server", "unknown-objects", "--json", "--days", "0").stdout)
    assert [it["object"] for it in unknown_now["unknown"]] == [f"{bucket}/{unknown}"]
    assert json.loads(public.machine.run("dcor-server", "unknown-objects", "--json").stdout)["unknown"] == []
    public.machine.run("dcor-server", "unknown-objects", "--days", "0", "--yes")
    assert exist(public.machine, [f"/{bucket}/{unknown}"]) == 0


def exist(machine: Machine, objects: list[str]) -> int:
    """Return how many of these objects are in the store, as it says to CKAN."""
    ask = "import sys; from dcor_shared import s3; print(sum(s3.object_exists(*it.strip('/').split('/', 1)) for it in sys.argv[1:]))"
    run = "setpriv --reuid www-data --regid www-data --init-groups /var/lib/dcor-server/current/bin/python -c"
    return int(machine.shell(f"{run} {shlex.quote(ask)} {' '.join(objects)}"))


def test_what_the_store_did_not_take_is_withdrawn_when_it_is_back(public: Published) -> None:
    public.machine.shell(f"systemctl stop {STORE} dcor-object-store.socket || systemctl stop {STORE}")
    try:
        assert public.act("package_delete", id=public.dataset) == 200
        assert 200 not in public.statuses()
    finally:
        public.machine.shell(f"systemctl start {STORE}")
    wait_for(public, {403})


def test_the_verb_withdraws_a_dataset_and_removes_it(pair: Published) -> None:
    code, seen = pair.withdraw("--dry-run")
    assert (code, seen["was"], len(seen["readable"])) == (0, "public", 6)
    assert pair.statuses() == {200}
    (resource, objects), _ = pair.resources.items()
    code, seen = pair.withdraw(target=resource)
    assert (code, seen["is"], seen["objects"], seen["readable"]) == (0, "deleted", 3, [])
    assert pair.statuses(objects) == {403}
    for arguments, state in (((), "private"), (("--delete",), "deleted")):
        code, seen = pair.withdraw(*arguments)
        assert (code, seen["is"], seen["readable"]) == (0, state, [])
        assert pair.statuses() == {403}
    code, message = pair.withdraw("--purge")
    assert (code, "add --yes" in message) == (1, True)
    assert exist(pair.machine, pair.everything) == 6
    code, seen = pair.withdraw("--purge", "--yes")
    assert (code, seen["is"], seen["removed"], seen["readable"]) == (0, "purged", 6, [])
    assert exist(pair.machine, pair.everything) == 0
    code, message = pair.withdraw()
    assert (code, "There is no dataset and no file with the id or name" in message) == (1, True)


def test_a_signed_link_to_a_public_file_is_valid_for_minutes_only(kept: Published) -> None:
    for resource in kept.resources:
        page = f"{SITE}/dataset/{kept.dataset}/resource/{resource}"
        for name in ("download/x.rtdc", "condensed.rtdc", "preview.jpg"):
            link = kept.machine.shell(f"{CURL} --output /dev/null --write-out '%{{redirect_url}}' {page}/{name}")
            assert int(link.partition("X-Amz-Expires=")[2].partition("&")[0]) <= 660, link
