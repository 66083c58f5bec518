"""The removal plan names what a purge may delete, however the settings are written, and nothing external."""

from __future__ import annotations

import pytest

from dcor_pkg.answers import settings, settings_text
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import data_directory, instance, managed_file, settings_file
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.instance import marker
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.kernel.runner import run
from dcor_pkg.machine import paths, state_file
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.plan import removal_plan
from dcor_pkg.services.removal_plan import HEADER, PLAN, PRESERVED_PLAN, WORDS
from tests.unit.kernel.damages import EXTERNAL

PUBLIC = Access(0o644)
DATABASE = "database ckan_default ckan_default,www-data /var/run/postgresql 5432"
REDIS, STORE = "tree /var/lib/redis/dcor.rdb", "tree /var/lib/dcor-object-store"


def planned(host: Host, **answers: str) -> list[str]:
    """Write the plan for these settings, and return its lines."""
    wanted = settings.parse({key.replace("_", "-"): answer for key, answer in answers.items()})
    run([removal_plan(wanted)], host)
    return (host.read(PLAN) or "").removeprefix(HEADER).splitlines()


def test_it_names_everything_of_a_local_server_and_the_data_last(host: Host) -> None:
    lines = planned(host)
    assert {DATABASE, REDIS, STORE, "stop dcor-ckan.service", "empty /var/cache/dcor-server"} <= set(lines)
    assert lines[-1] == "data /data found object-store ckan"
    words = [WORDS.index(line.split()[0]) for line in lines]
    assert words == sorted(words)
    assert all(len(line.split()) <= 5 for line in lines)
    assert host.access(PLAN) == Access(0o600)


def test_what_is_external_from_the_start_is_not_in_it(host: Host) -> None:
    lines = planned(host, **{key.replace("-", "_"): value for key, value in EXTERNAL.items()})
    assert not {DATABASE, REDIS, STORE} & set(lines)
    assert "example.org" not in "".join(lines)


def test_what_was_local_before_stays_in_it(host: Host) -> None:
    planned(host, scratch_directory="/srv/old")
    lines = planned(host, database=EXTERNAL["database"], redis=EXTERNAL["redis"])
    assert {DATABASE, REDIS, "temporary /srv/old/ckanext-dc_serve"} <= set(lines)


def test_a_server_from_before_plans_has_recorded_what_was_local(host: Host) -> None:
    state_file.write(host, paths.ADDRESSES, {"postgresql://127.0.0.1/ckan_default": {}})
    managed_file.record(host, "/etc/dcor-server/redis.conf", "")
    lines = planned(host, **{key.replace("-", "_"): value for key, value in EXTERNAL.items()})
    assert {DATABASE, REDIS} <= set(lines)
    assert STORE not in lines


def test_a_plan_that_a_purge_has_preserved_goes_on_if_it_is_of_this_server(host: Host) -> None:
    host.write(instance.PRESERVED_INSTANCE, "id\n", PUBLIC)
    host.write(PRESERVED_PLAN, f"{HEADER}{DATABASE}\n", PUBLIC)
    assert DATABASE in planned(host, database=EXTERNAL["database"])
    host.remove(PLAN)
    host.write(instance.INSTANCE, "other\n", PUBLIC)
    assert DATABASE not in planned(host, database=EXTERNAL["database"])


def test_the_data_are_where_the_marker_is_and_not_where_an_edit_says(host: Host) -> None:
    run([DataDirectory("/data")], host)
    assert planned(host)[-1] == "data /data made object-store ckan"
    assert planned(host, data_directory="/srv/data")[-1] == "data /data made object-store ckan"
    host.write(marker("/srv/data"), host.read(instance.INSTANCE) or "", PUBLIC)
    assert planned(host, data_directory="/srv/data")[-1] == "data /srv/data found object-store ckan"


@pytest.mark.parametrize(
    "line", ["Data-Directory = /srv/data", "data-directory\t=\t/srv/data", "data-directory=/srv/data \r"]
)
def test_settings_are_read_as_by_the_server_however_they_are_written(host: Host, line: str) -> None:
    host.write(settings_text.PATH, f"[dcor-server]\n{line}\n", settings_file.ACCESS)
    assert planned(host, data_directory=settings_file.load(host).data_directory)[-1].startswith("data /srv/data ")


def test_an_empty_scratch_directory_is_removed_if_the_server_has_made_it(host: Host) -> None:
    host.path("/srv/found").mkdir(parents=True)
    assert "empty /srv/found" not in planned(host, scratch_directory="/srv/found")
    assert "empty /srv/made" in planned(host, scratch_directory="/srv/made")
    host.path("/srv/made").mkdir()
    assert {"empty /srv/made", "temporary /srv/found/ckanext-dc_serve"} <= set(planned(host))


def test_an_existing_directory_is_not_made_by_the_server(host: Host) -> None:
    host.make_directory("/data", data_directory.ACCESS)
    run([DataDirectory("/data")], host)
    assert planned(host)[-1].startswith("data /data found ")


def test_an_interrupted_deletion_is_neither_forgotten_nor_used(host: Host) -> None:
    proposal = Proposal(None, settings.Settings(), {})
    instance.check_deletion(host, proposal)
    host.write(instance.DELETION, "", PUBLIC)
    instance.check_deletion(host, proposal)
    host.write(instance.INSTANCE, "id\n", PUBLIC)
    with pytest.raises(DcorError, match="was interrupted") as refused:
        instance.check_deletion(host, proposal)
    assert "apt purge dcor-server completes it" in refused.value.hint


def test_a_new_instance_begins_without_the_records_of_a_former_purge(host: Host) -> None:
    for path in (instance.DELETION, instance.DELETED):
        host.write(path, "/data\n", PUBLIC)
    run([DataDirectory("/data")], host)
    assert host.exists(instance.INSTANCE)
    assert not host.exists(instance.DELETION)
    assert not host.exists(instance.DELETED)
