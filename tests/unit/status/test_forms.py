"""What was found, as text for people, as a line for Nagios, and as metrics for Prometheus."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from dcor_pkg.errors import DcorError
from dcor_pkg.kernel.last_converge import LastConverge
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import output
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.output import Terminal
from dcor_pkg.status import nagios, prometheus, text
from dcor_pkg.status.health import Examined
from dcor_pkg.status.part import Part

WELL = LastConverge(worked=True, when=1_700_000_000.0)
FAILED = LastConverge(worked=True, reason="nginx site: no such thing", hint="in line 3")
DISK = Part("disk of /data", None, "90 GiB are free", numbers={"free_bytes": 96636764160, "free_inodes": 500})
DATABASE = Part("database", None, "writes and reads", seconds=0.012, is_timed=True)
HANGS = Part("database", "does not answer within 8 s", seconds=8.0, is_timed=True)
PAGE = Part("page", "timed out", seconds=8.0, cause="database", is_timed=True)
FEW = Part("disk of /tmp", None, "0 GiB are free", warning="300 MiB are free")
UNITS = (Part("nginx", None, group="services"), Part("timers", None, group="services"))
#: Monitoring Plugins Development Guidelines, "Performance data"
DATUM = re.compile(r"('[^']+'|[^' =]+)=-?[0-9.]+(s|B)?(;[^; ]*){0,4}")


def examined(*parts: Part, notices: tuple[Notice, ...] = ()) -> Examined:
    return Examined(list(parts), list(notices), 1.25)


def lines(*parts: Part, last: LastConverge = WELL, terminal: Terminal | None = None) -> list[str]:
    return list(text.lines("dcor.example.org", examined(*parts), last, terminal))


def test_each_part_has_a_line_with_its_mark_and_the_last_line_concludes() -> None:
    assert lines(DATABASE, FEW) == [
        "https://dcor.example.org/",
        f"  {'database':38} writes and reads (12 ms)",
        f"? {'disk of /tmp':38} 300 MiB are free",
        "All is well (1.2 s).",
    ]


def test_what_waits_is_marked_in_another_way_and_not_among_the_problems() -> None:
    assert lines(HANGS, PAGE, last=FAILED)[1:3] == [
        f"! {'database':38} does not answer within 8 s",
        f"- {'page':38} waits for database: timed out",
    ]
    assert lines(HANGS, PAGE, last=FAILED)[-1] == "Problems: database, the last converge (1.2 s)."


def test_those_of_a_group_share_a_line_as_long_as_all_are_well() -> None:
    assert lines(*UNITS)[1:-1] == [f"  {'services':38} nginx; timers"]
    failed = Part("timers", "is failed", group="services")
    assert lines(UNITS[0], failed)[1:-1] == [f"  {'nginx':38} ok", f"! {'timers':38} is failed"]


def test_a_terminal_gets_its_width_and_loses_nothing_of_a_problem() -> None:
    long = Part("web", "a " * 60 + "end")
    shown = lines(Part("versions", None, "dcor-server 1.0.0, " * 9), long, terminal=Terminal(80, colours=False))
    assert max(map(len, shown)) <= 80
    assert shown[1].endswith("...")
    assert " ".join(" ".join(shown[2:-1]).split()) == f"! web {'a ' * 60}end"
    assert not any("\033" in line for line in shown)


def test_colours_are_for_what_is_not_well() -> None:
    shown = lines(DATABASE, FEW, HANGS, terminal=Terminal(200, colours=True))
    assert [line[:5] for line in shown[1:4]] == ["  dat", "\033[33m", "\033[31m"]
    assert all(line.endswith("\033[0m") for line in shown[2:4])


def test_nobody_else_controls_the_terminal() -> None:
    assert "\033" not in "".join(lines(Part("web", "answers \033[2J\nmore")))


@pytest.mark.parametrize(
    ("is_terminal", "environment", "found"),
    [
        (False, {"TERM": "xterm"}, None),
        (True, {"TERM": "xterm"}, Terminal(100, colours=True)),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, Terminal(100, colours=False)),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, Terminal(100, colours=True)),
        (True, {"TERM": "dumb"}, Terminal(100, colours=False)),
    ],
)
def test_a_terminal_has_colours_unless_it_is_dumb_or_nobody_wants_them(
    monkeypatch: pytest.MonkeyPatch, is_terminal: bool, environment: dict[str, str], found: Terminal | None
) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(shown, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda **_: os.terminal_size((100, 30)))
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert output.terminal() == found


@pytest.mark.parametrize(
    ("parts", "last", "code", "said"),
    [
        ((DATABASE, DISK), WELL, nagios.OK, "OK - all parts are well"),
        ((DATABASE, FEW), WELL, nagios.WARNING, "WARNING - disk of /tmp: 300 MiB are free"),
        ((HANGS, PAGE, FEW), WELL, nagios.CRITICAL, "CRITICAL - database: does not answer within 8 s"),
        ((DATABASE,), FAILED, nagios.CRITICAL, "CRITICAL - the last converge failed: nginx site: no such thing"),
        ((Part("web", "a | b\nc"),), WELL, nagios.CRITICAL, "CRITICAL - web: a / b c"),
    ],
)
def test_nagios_gets_one_line_and_its_exit_code(
    parts: tuple[Part, ...], last: LastConverge, code: int, said: str
) -> None:
    found, line = nagios.result(examined(*parts), last)
    shown, _, data = line.partition(" | ")
    assert (found, shown, "\n" in line, line.count("|")) == (code, said, False, 1)
    assert re.fullmatch(f"{DATUM.pattern}( {DATUM.pattern})*", data), data


def test_nagios_gets_the_numbers_with_their_units() -> None:
    _, line = nagios.result(examined(DATABASE, DISK), WELL)
    assert line.partition(" | ")[2] == (
        "time=1.250s 'database time'=0.012s 'disk of /data free_bytes'=96636764160B 'disk of /data free_inodes'=500"
    )


def test_metrics_have_their_words_and_types_and_escaped_labels() -> None:
    odd = Part('disk of /a"\\b', None, numbers={"free_bytes": 7})
    shown = prometheus.text(examined(HANGS, PAGE, DISK, odd, notices=(Notice("/a", "b"),)), WELL)
    assert shown.endswith("\n")
    found = shown.splitlines()
    assert found[:3] == [
        "# HELP dcor_server_ok Whether dcor-server status finds no problem.",
        "# TYPE dcor_server_ok gauge",
        "dcor_server_ok 0",
    ]
    assert {
        "dcor_server_notices 1",
        'dcor_server_part_ok{part="database"} 0',
        'dcor_server_part_is_cause{part="database"} 1',
        'dcor_server_part_is_cause{part="page"} 0',
        'dcor_server_free_bytes{part="disk of /data"} 96636764160',
        'dcor_server_free_bytes{part="disk of /a\\"\\\\b"} 7',
    } <= set(found)
    names = [line.split()[2] for line in found if line.startswith("# TYPE ")]
    assert len(names) == len(set(names))


METRICS = "/var/lib/prometheus/node-exporter/dcor.prom"


@pytest.mark.parametrize("owner", ["root", "prometheus"])
def test_metrics_belong_to_whoever_could_exchange_them(host: Host, owner: str) -> None:
    host.make_directory("/var/lib/prometheus", Access(0o755, owner, owner))
    host.make_directory("/var/lib/prometheus/node-exporter", Access(0o755, owner, owner))
    for words in ("first 1\n", "second 2\n"):
        prometheus.write(host, METRICS, words)
        assert (host.read(METRICS), host.access(METRICS)) == (words, Access(0o644, owner, owner))
    assert host.names("/var/lib/prometheus/node-exporter") == ["dcor.prom"]


def test_a_link_of_another_user_is_not_followed(host: Host) -> None:
    host.write("/etc/shadow", "secret", Access(0o600))
    host.make_directory("/var/lib/prometheus", Access(0o755, "prometheus", "prometheus"))
    host.path("/var/lib/prometheus/node-exporter").symlink_to("/etc")
    with pytest.raises(DcorError):
        prometheus.write(host, "/var/lib/prometheus/node-exporter/shadow", "metrics")
    assert host.read("/etc/shadow") == "secret"


@pytest.mark.parametrize("path", ["dcor.prom", METRICS])
def test_a_directory_that_is_missing_is_named_and_not_made(host: Host, path: str) -> None:
    with pytest.raises(DcorError, match="there is no directory") as refused:
        prometheus.write(host, path, "")
    assert "existing directory" in refused.value.hint
    assert not host.exists("/var/lib/prometheus")


def test_the_timers_file_is_the_one_that_a_removal_takes_along(host: Host) -> None:
    unit = (Path(__file__).parents[3] / "debian/dcor-server.dcor-metrics.service").read_text(encoding="utf-8")
    assert f"ExecStart=/usr/sbin/dcor-server status --prometheus {prometheus.FILE}\n" in unit
    assert f"ConditionPathIsDirectory={Path(prometheus.FILE).parent}\n" in unit
    prometheus.remove(host)
    host.make_directory(str(Path(prometheus.FILE).parent), Access(0o755, "prometheus", "prometheus"))
    prometheus.write(host, prometheus.FILE, "metrics 1\n")
    prometheus.remove(host)
    assert not host.exists(prometheus.FILE)
