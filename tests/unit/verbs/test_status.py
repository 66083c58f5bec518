"""`dcor-server status`: each part, the last converge and the notices, on one screen and as JSON."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import additions, switch, upgrade_backup
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import instance, secrets
from dcor_pkg.machine import disk, unix_http
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CURRENT
from dcor_pkg.nginx import loopback, upstream
from dcor_pkg.services import external
from dcor_pkg.status import disks, fingerprint, queues, site
from dcor_pkg.tls.self_signed import PAIR, SelfSignedCertificate
from dcor_pkg.verbs import status
from tests.unit.command_line import CommandLine
from tests.unit.fake_programs.call import Call
from tests.unit.fake_programs.postgresql import UNIT as CLUSTER
from tests.unit.fake_programs.site import Response
from tests.unit.fake_programs.systemd import Unit

PUBLIC = Access(0o644)


@pytest.fixture
def server(dcor_server: CommandLine) -> CommandLine:
    """Return the command on a server that is set up and healthy."""
    return dcor_server.converged()


def problems(server: CommandLine) -> dict[str, str]:
    """Return the problems that `status` shows, by their parts."""
    ended = server("status", "--json")
    found = {part["name"]: part["problem"] for part in ended.json["parts"] if part["problem"]}
    assert ended.code == (3 if found else 0)
    return found


def test_a_healthy_server_is_shown_on_one_screen_with_exit_code_0(server: CommandLine) -> None:
    ended = server("status")
    assert (ended.code, ended.err, ended.lines[0]) == (0, "", "https://dcor.example.org/")
    assert len(ended.lines) < 30
    shown = {line[2:40].strip(): line[41:] for line in ended.lines[1:]}
    assert shown["data"] == "/data"
    assert shown["disk of /data"] == "100 GiB are free"
    assert shown["memory"] == "2048 of 4096 MiB are available"
    assert shown["configuration"] == "as the settings say"
    assert shown["versions"] == "dcor-server 1.0.0, dcor-wheels 2.11.6-1~deb12u1, python-ckan 2.11.6-1~deb12u1"
    assert shown["certificate"].startswith("self-signed, until 20")
    assert re.fullmatch("https://dcor.example.org/trust, SHA-256 [0-9A-F]{2}(?::[0-9A-F]{2}){31}", shown["trust"])
    asked = {name: shown[name].rpartition(" (")[0] for name in ("database", "redis", "solr", "object-store")}
    assert asked == {
        "database": "writes and reads",
        "redis": "stores values",
        "solr": "schema ckan-2.11, datasets: 0",
        "object-store": "lists buckets; there is no circle yet, so nothing is stored",
    }
    assert all(re.fullmatch(r"ok \(\d+ ms\)", shown[name]) for name in ("nginx", "web", "search", "page"))
    assert shown["services"].startswith("postgresql@15-main; redis-server@dcor; dcor-solr; ")
    assert "queue dcor-short 0 waiting, 0 failed; queue dcor-normal" in shown["jobs"]
    assert re.fullmatch(r"All is well \(\d\.\d s\)\.", ended.lines[-1])


@pytest.mark.parametrize("path", [disks.POSTGRESQL, upgrade_backup.DIRECTORY])
def test_other_disks_of_database_and_backups_are_shown_as_well(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    server.machine.host.make_directory(path, Access(0o700))
    assert f"disk of {path}" not in server("status").out
    monkeypatch.setattr(disk, "device", lambda host, place: int(place == path))
    monkeypatch.setattr(disk, "free", lambda host, place: disk.GIB * (0 if place == path else 100))
    ended = server("status")
    assert (ended.code, f"! disk of {path}" in ended.out) == (3, True)


@pytest.mark.parametrize("path", ["/data", "/var/cache/dcor-server", "/var/lib/nginx", "/tmp"])
def test_each_place_of_uploads_is_shown_with_space_and_inodes(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    server.machine.host.make_directory(path, Access(0o755))
    monkeypatch.setattr(disk, "device", lambda host, place: int(place == path))
    monkeypatch.setattr(disk, "free", lambda host, place: (300 if place == path else 200_000) * disk.MIB)
    monkeypatch.setattr(disk, "free_inodes", lambda host, place: (200_000, 300_000))
    (found,) = (part for part in server("status", "--json").json["parts"] if part["name"] == f"disk of {path}")
    assert "300 MiB are free" in f"{found['problem']}{found['warning']}"
    assert found["numbers"] == {"free_bytes": 300 * disk.MIB, "free_inodes": 200_000}


def test_where_the_largest_upload_would_fail_there_is_a_warning(server: CommandLine) -> None:
    server.machine.free = disks.LARGE - 1
    ended = server("status")
    assert ended.code == 0
    said = "10239 MiB are free: no room for an upload of 10240 MiB, as upload-limit allows"
    assert [line[41:] for line in ended.lines if line.startswith("? disk of ")] == [said]
    server.machine.free += 1
    assert "? disk of" not in server("status").out


def test_an_upload_to_an_external_store_needs_no_space_here() -> None:
    local = settings.parse({})
    external = settings.parse({"object-store": "https://key@s3.example.org"})
    assert (disks.largest_upload(local, "/data"), disks.largest_upload(external, "/data")) == (disks.LARGE, 0)
    for limit in ("200000", "5000"):
        assert disks.largest_upload(settings.parse({"upload-limit": limit}), "/data") == int(limit) * disk.MIB
    assert {disks.largest_upload(local, path) for path in disks.places(local) if path != "/data"} == {0}


def test_the_site_is_asked_by_its_name_for_a_search_and_a_page(server: CommandLine) -> None:
    server.site.requests.clear()
    server("status")
    paths = ("/", switch.SEARCH, site.OF_NGINX)
    # Steps are checked as well, and one of them asks for a page.
    assert sorted(set(server.site.requests)) == [("dcor.example.org", path) for path in paths]


def test_json_has_the_documented_keys(server: CommandLine) -> None:
    found = server("status", "--json").json
    assert sorted(found) == ["converge", "hostname", "notices", "ok", "parts", "schema", "seconds"]
    assert (found["schema"], found["ok"]) == (1, True)
    keys = ("cause", "detail", "name", "numbers", "ok", "problem", "seconds", "warning")
    assert {tuple(sorted(part)) for part in found["parts"]} == {keys}
    assert sorted(found["converge"]) == ["hint", "reason", "when", "worked"]


@pytest.mark.parametrize(("name", "limit"), [("MAX_BYTES", 100_000), ("TIMEOUT_SECONDS", -1.0)])
def test_an_answer_that_does_not_end_is_a_problem(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch, name: str, limit: float
) -> None:
    monkeypatch.setattr(loopback if name == "TIMEOUT_SECONDS" else unix_http, name, limit)
    server.site.answers["/"] = Response(200, b"x" * 1_000_000)
    assert problems(server)["page"].endswith("bytes and does not end")


def stop(unit: str) -> Callable[[CommandLine], None]:
    def damage(server: CommandLine) -> None:
        server.machine.systemd.units[unit].active = "failed"

    return damage


def unmount(server: CommandLine) -> None:
    server.machine.host.remove(instance.marker("/data"))


def fill_disk(server: CommandLine) -> None:
    server.machine.free = 300 * disk.MIB


def end_jobs(server: CommandLine) -> None:
    (name,) = (name for name in server.machine.supervisor.loaded if name.startswith("dcor-jobs-"))
    server.machine.supervisor.loaded[name].state = "FATAL"


def lose_clusters(server: CommandLine) -> None:
    server.machine.programs["pg_lsclusters"] = lambda call: ""


def break_search(server: CommandLine) -> None:
    server.site.answers[switch.SEARCH] = Response(200, b'{"success": false}')


def break_page(server: CommandLine) -> None:
    server.site.answers["/"] = Response(500, b"")


def test_a_service_that_hangs_is_named_at_its_part(server: CommandLine) -> None:
    def hang(call: Call) -> str:
        raise DcorError(f"`{' '.join(call.argv)}` did not end within 10 s")

    server.machine.programs["redis-cli"] = hang
    done = server("status", "--json")
    assert done.code == 3
    (problem,) = [part["problem"] for part in done.json["parts"] if part["name"] == "redis"]
    assert problem.endswith("PING` did not end within 10 s")


def change_certificate(server: CommandLine) -> None:
    SelfSignedCertificate("other.example.org").apply(server.machine.host)


def lose_certificate(server: CommandLine) -> None:
    server.machine.host.remove(PAIR.certificate)


def let_redis_load(server: CommandLine) -> None:
    server.machine.programs["redis-cli"] = lambda call: "LOADING Redis is loading the dataset in memory\n"


@pytest.mark.parametrize(
    ("damage", "part", "words"),
    [
        (stop("nginx.service"), "nginx", "is failed"),
        (stop("nginx.service"), "page", "Connection refused"),
        (stop("dcor-solr.service"), "solr", "answers 0 ([Errno 111] Connection refused)"),
        (stop("dcor-solr.socket"), "solr", "answers 0 (dcor-solr.socket, which holds its port, is failed)"),
        (stop("dcor-object-store.service"), "object-store", "instead of 403 at"),
        (stop(CLUSTER), "database", "Is the server running"),
        (stop(CLUSTER), "postgresql@15-main", "is failed"),
        (lose_clusters, "postgresql", "No PostgreSQL cluster of this machine uses port 5432: there is none at all."),
        (stop("dcor-ckan.service"), "programs", "is unknown"),
        (unmount, "data", "is not mounted"),
        (fill_disk, "disk of /data", "only 300 MiB are free"),
        (end_jobs, "programs", "is FATAL"),
        (break_search, "search", "does not succeed"),
        (break_page, "page", "https://dcor.example.org/ answers 500"),
        (change_certificate, "certificate", "dcor.example.org"),
        (lose_certificate, "trust", "contains no certificate"),
        (let_redis_load, "redis", "LOADING"),
    ],
)
def test_a_problem_is_shown_at_its_part_with_exit_code_3(
    server: CommandLine, damage: Callable[[CommandLine], None], part: str, words: str
) -> None:
    damage(server)
    assert words in problems(server)[part]
    ended = server("status")
    (line,) = (line for line in ended.lines if line[1:].startswith(f" {part} "))
    assert line.startswith("- " if part == "page" and "nginx" in line else "! ")
    assert (ended.code, words in line) == (3, True)


def test_without_settings_status_fails_and_says_which_file_is_missing(dcor_server: CommandLine) -> None:
    ended = dcor_server("status")
    assert (ended.code, ended.out) == (1, "")
    assert "/etc/dcor-server/dcor-server.conf is missing" in ended.err


def test_without_an_active_release_there_are_no_programs(server: CommandLine) -> None:
    server.machine.host.remove(CURRENT)
    server.machine.host.remove(upstream.PATH)
    found = problems(server)
    assert (found["release"], found["programs"]) == ("none is active", "no release is active")


def test_an_external_service_is_shown_with_its_address_and_its_problem(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.save(server.machine.host, secrets.external("redis-password"), Secret("hush"))
    server.machine.programs["redis-cli"] = lambda call: "PONG\n"
    problem = ["WRONGPASS invalid username-password pair"]
    monkeypatch.setattr(external, "problem", lambda host, engine, settings: problem[0])
    text = server.machine.host.read("/etc/dcor-server/dcor-server.conf") or ""
    changed = text.replace("redis = local", "redis = rediss://redis.example.org")
    assert changed != text
    server.machine.host.write("/etc/dcor-server/dcor-server.conf", changed, Access(0o640))
    assert problems(server)["redis"] == problem[0]
    parts = server("status", "--json").json["parts"]
    (part,) = (part for part in parts if part["name"] == "redis")
    assert (part["problem"], part["detail"]) == (problem[0], "rediss://redis.example.org")


def test_the_failure_of_the_last_converge_is_repeated_with_its_hint_and_what_to_do(server: CommandLine) -> None:
    server.machine.fail("nginx", words="nginx: [emerg] no such thing\nin line 3")
    server.machine.host.write("/etc/dcor-server/nginx.d/own.conf", "gzip on;\n", PUBLIC)
    assert server("converge").code == 1
    for verb in ("status", "check"):
        lines = server(verb).lines
        start = next(i for i, line in enumerate(lines) if line.startswith("! The last converge (20"))
        assert " failed: " in lines[start]
        assert lines[start + 1].startswith("    ")
        assert any(line.startswith("    Fix the cause, then run: dcor-server converge") for line in lines[start:])
    ended = server("status", "--json")
    assert (ended.code, bool(ended.json["converge"]["reason"])) == (3, True)


def test_an_invalid_addition_is_a_notice_and_no_problem(server: CommandLine) -> None:
    server.machine.host.write(f"{additions.DIRECTORY}/own.ini", "[app:main]\nsmtp.user\n", PUBLIC)
    ended = server("status")
    assert ended.code == 0
    assert f"{additions.DIRECTORY} is not in effect: " in ended.out


def test_with_a_public_certificate_users_have_nothing_to_trust(
    server: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "trust_anchor", lambda host, pair: None)
    (part,) = (part for part in server("status", "--json").json["parts"] if part["name"] == "trust")
    assert (part["problem"], part["detail"]) == (None, "publicly trusted, so users have nothing to do")


def test_nagios_is_told_that_a_part_is_down_and_what_cannot_be_asked(dcor_server: CommandLine) -> None:
    ended = dcor_server("status", "--nagios")
    assert (ended.code, ended.err) == (3, "")
    assert ended.out.startswith("UNKNOWN - /etc/dcor-server/dcor-server.conf is missing")
    server = dcor_server.converged()
    ended = server("status", "--nagios")
    assert (ended.code, ended.out.partition(" | ")[0]) == (0, "OK - all parts are well")
    stop("redis-server@dcor.service")(server)
    ended = server("status", "--nagios")
    assert (ended.code, len(ended.lines)) == (2, 1)
    assert ended.out.startswith("CRITICAL - redis-server@dcor: is failed; redis: does not answer")


def test_metrics_are_written_and_printed_whatever_is_wrong(server: CommandLine) -> None:
    fill_disk(server)
    directory = "/var/lib/prometheus/node-exporter"
    server.machine.host.make_directory(directory, Access(0o755))
    ended = server("status", "--prometheus", f"{directory}/dcor.prom")
    assert (ended.code, ended.out) == (0, "")
    written = server.machine.host.read(f"{directory}/dcor.prom") or ""
    assert 'dcor_server_part_ok{part="disk of /data"} 0\n' in written
    assert "dcor_server_ok 0\n" in server("status", "--prometheus").out


def test_drift_is_a_warning_with_the_number_of_steps(server: CommandLine) -> None:
    server.machine.host.remove("/etc/logrotate.d/dcor-server")
    ended = server("status")
    words = "1 step differs from the settings: dcor-server check"
    assert (ended.code, f"? {'configuration':38} {words}" in ended.lines) == (0, True)
    assert server("check").code == 3
    nagios = server("status", "--nagios")
    assert (nagios.code, nagios.out.partition(" | ")[0]) == (1, f"WARNING - configuration: {words}")
    # Not in metrics: the timer's unit is confined, and cannot see all that steps look at.
    assert "configuration" not in server("status", "--prometheus").out
    assert server("converge").code == 0
    assert words not in server("status").out


def test_a_watch_shows_it_again_until_ctrl_c(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        fill_disk(server)
        if len(slept) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(status, "time", SimpleNamespace(sleep=sleep))
    ended = server("status", "--watch", "7")
    assert (ended.code, ended.err, slept) == (3, "", [7.0, 7.0])
    assert [line[:10] for line in ended.lines if line.startswith(("All", "Problems"))] == ["All is wel", "Problems: "]


@pytest.mark.parametrize(
    ("found", "age", "problem", "words"),
    [
        ({"problem": "takes no job"}, 3600, "takes no job", "0 waiting, 0 failed"),
        ({"problem": "takes no job"}, 5, None, "workers are starting, 0 waiting"),
        ({"busy": True, "waiting": 3}, 3600, None, "busy with a job, 3 waiting"),
    ],
)
def test_a_queue_whose_worker_does_nothing_is_named(
    server: CommandLine, found: dict[str, object], age: int, problem: str | None, words: str
) -> None:
    server.machine.supervisor.started = int(time.time()) - age
    server.machine.ckan.results["queues"]["dcor-long"].update(found)
    parts = {part["name"]: part for part in server("status", "--json").json["parts"]}
    assert (parts["queue dcor-long"]["problem"], words in parts["queue dcor-long"]["detail"]) == (problem, True)
    assert parts["queue dcor-short"]["ok"]


def test_jobs_that_have_failed_are_a_warning(server: CommandLine) -> None:
    server.machine.ckan.results["queues"]["default"]["failed"] = 2
    ended = server("status")
    assert (ended.code, f"? {'queue default':38} 2 jobs have failed" in ended.out) == (0, True)


def test_a_release_of_before_is_not_asked_for_its_queues(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "FILE", "dcor_runtime/not_yet.py")
    (part,) = (part for part in server("status", "--json").json["parts"] if part["name"] == "jobs")
    assert (part["ok"], "is of before that" in part["detail"]) == (True, True)


@pytest.mark.parametrize(("keeps", "problem"), [(True, None), (False, "does not return an object that was stored")])
def test_an_object_is_stored_returned_and_deleted_in_the_bucket_of_a_circle(
    server: CommandLine, keeps: bool, problem: str | None
) -> None:
    store, bucket = server.machine.object_store, "circle-11111111-2222-3333-4444-555555555555"
    store.buckets["local"].add(bucket)
    store.keeps = keeps
    (part,) = (part for part in server("status", "--json").json["parts"] if part["name"] == "object-store")
    assert (part["problem"] or "").startswith(problem or "\0") is (problem is not None)
    assert (set(store.stored), store.objects) == (
        {(it, f"{bucket}/dcor-server/status") for it in ("PUT", "DELETE")},
        {},
    )


def test_a_database_that_cannot_be_written_to_is_named(server: CommandLine) -> None:
    server.machine.postgresql.databases["ckan_default"].read_only = True
    assert problems(server) == {
        "database": "cannot be written to: cannot execute CREATE TABLE in a read-only transaction"
    }


def test_failed_units_and_mails_are_warnings(server: CommandLine) -> None:
    mail = "dcor-mail@dcor-nightly.service.service"
    server.machine.systemd.units[mail] = Unit("failed")
    stop("dcor-nightly.service")(server)
    ended = server("status")
    assert ended.code == 0
    assert f"? {'failed units':38} dcor-nightly.service" in ended.lines
    assert f"? {'mail':38} could not be sent about dcor-nightly.service; see: " in ended.out


def test_a_part_that_hangs_is_named_and_no_other_one(server: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object) -> str:
        raise DcorError("does not answer within 8 s")

    monkeypatch.setattr(site, "nginx_problem", hang)
    monkeypatch.setattr(site, "problem", hang)
    parts = {part["name"]: part for part in server("status", "--json").json["parts"]}
    assert [name for name, part in parts.items() if part["problem"] and not part["cause"]] == ["nginx"]
    assert parts["nginx"]["problem"] == "does not answer within 8 s"
    assert (parts["search"]["cause"], parts["page"]["cause"]) == ("nginx", "nginx")
