"""`dcor-server test-instance create` and `remove`: beside production, of which nothing changes, and without a trace."""

from __future__ import annotations

import pytest

from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import additions, release
from dcor_pkg.kernel import secrets
from dcor_pkg.machine import disk, ports
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import CKAN_INI
from dcor_pkg.runtime import store_mark
from dcor_pkg.test_instance import configuration, credentials, database, environment, record, services
from dcor_pkg.test_instance.places import DATABASE, ENVIRONMENT, HOME, INI, RECORD
from dcor_pkg.verbs import take_down
from tests.unit.fake_programs import postgresql
from tests.unit.test_instance.second import Second

#: what differs between two moments of a server that nobody touches
CHANGING = ("run/dcor-server",)


def files(second: Second) -> dict[str, str]:
    """Return all files and links of the machine, with what they hold."""
    root = second.host.path("/")
    found = {}
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        if not name.startswith(CHANGING):
            found[name] = f"to {path.readlink()}" if path.is_symlink() else path.read_text() if path.is_file() else ""
    return found


def test_a_test_instance_is_beside_production_and_leaves_nothing(second: Second) -> None:
    before, state = files(second), second.machine.state()
    ended = second("create")
    assert (ended.code, ended.err, ended.lines[-1]) == (
        0,
        "",
        f"The test instance is ready; its configuration is {INI}.",
    )
    made = files(second)
    own = (HOME[1:], INI[1:], "etc/systemd/system/test-dcor-")
    assert {name: text for name, text in made.items() if not name.startswith(own)} == before
    assert second.units == dict.fromkeys(services.STARTED, "active")
    assert second.marks == {"role": database.MARK, "database": database.MARK}
    mark = store_mark.name((second.host.read("/var/lib/dcor-server/instance") or "").strip(), "7-16999")
    assert second.buckets == {mark, services.OBJECT.split("/")[1]}

    ended = second("remove")
    assert (ended.code, ended.out) == (0, "The test instance was removed.\n")
    assert files(second) == before
    assert second.marks == {}
    for unit in services.STARTED:
        assert second.machine.systemd.units.pop(unit).active == "inactive"
    assert second.machine.state() == state
    assert second("remove").out == "There is no test instance.\n"
    assert second("create").code == 0


def test_the_configuration_has_no_secret_and_no_place_of_production(second: Second) -> None:
    second("create")
    assert second.host.access(INI) == Access(0o640, "root", "www-data")
    options = additions.options(second.host.read(INI) or "")
    live = additions.options(second.host.read(CKAN_INI) or "")
    assert options[additions.MAIN, "sqlalchemy.url"].endswith(f"@127.0.0.1:5432/{DATABASE}")
    changed = {name for section, name in options if options[section, name] != live.get((section, name))}
    assert changed >= set(configuration.options(credentials.new())) - {"solr_user"}
    text = second.host.read(INI) or ""
    for name in second.host.names(secrets.DIRECTORY):
        if len(secret := secrets.read(second.host, name).reveal()) > 10:
            assert secret not in text, name
    assert "SECRET" not in text.replace("SECRET_KEY", "")
    assert "/data/" not in text


def test_each_secret_is_of_its_own() -> None:
    texts = list(credentials.new().revealed().values())
    assert len(set(texts)) == len(texts)
    assert all(isinstance(each, str) and len(each) == secrets.LENGTH for each in texts)
    assert "password" not in repr(Secret("password"))


def test_the_environment_has_the_release_and_its_programs(second: Second) -> None:
    second("create")
    home = release.directory(second.active)
    link = second.host.read(f"{ENVIRONMENT}/lib/python3.11/site-packages/{environment.LINK}")
    assert link == f"import site; site.addsitedir('{home}/lib/python3.11/site-packages')\n"
    for name in ("pip", "ckan", "dcor"):
        assert second.host.target(f"{ENVIRONMENT}/bin/{name}") == f"{home}/bin/{name}"


def test_the_environment_is_of_the_python_of_the_release(second: Second) -> None:
    """Debian 13 has another one, and so has, for a while, a server that is upgraded to it."""
    python = "/usr/bin/python3.13"
    second.host.write(python, "", Access(0o755))
    second.host.write(f"{release.directory(second.active)}/pyvenv.cfg", "version = 3.13.5\n", Access(0o644))
    second.machine.programs[python] = lambda call: second.venv(call, "3.13.5")
    assert second("create").code == 0
    assert second.host.exists(f"{ENVIRONMENT}/lib/python3.13/site-packages/{environment.LINK}")


def test_where_postgresql_does_not_answer_the_database_stays_and_that_is_said(second: Second) -> None:
    second("create")
    cluster = second.machine.systemd.units[postgresql.UNIT]
    cluster.active = "inactive"
    ended = second("remove")
    assert (ended.code, ended.out.startswith("The test instance was removed. Database and role ckan_test stay")) == (
        0,
        True,
    )
    assert second.marks == {"role": database.MARK, "database": database.MARK}
    cluster.active = "active"
    assert second("remove").out == "There is no test instance.\n"
    assert second.marks == {}


def test_a_second_one_is_refused(second: Second) -> None:
    second("create")
    before = files(second)
    ended = second("create")
    assert ended.code == 1
    assert "There is a test instance already, made on " in ended.err
    assert record.REMOVE in ended.err
    assert files(second) == before


def test_what_was_cut_off_is_removed_at_the_next_create(second: Second) -> None:
    second("create")
    second.host.remove(RECORD)
    second.host.write(f"{HOME}/suites/left", "by a suite", Access(0o644, "www-data", "www-data"))
    ended = second("create")
    assert ended.code == 0
    assert ended.lines[0] == "Removing what is left of a test instance that was not completed."
    assert not second.host.exists(f"{HOME}/suites/left")


def test_what_fails_leaves_nothing(second: Second) -> None:
    before = files(second)
    second.machine.systemd.broken[services.STORE] = "no space left"
    for unit in services.STARTED:
        second.machine.systemd.units.pop(unit, None)
    ended = second("create")
    assert ended.code == 1
    assert f"systemctl start {services.STORE}` failed" in ended.err
    assert "no space left" in ended.err
    assert files(second) == before
    assert second.marks == {}


@pytest.mark.parametrize("kind", ["role", "database"])
def test_what_another_one_has_made_is_refused_and_stays(second: Second, kind: str) -> None:
    second.marks = {kind: ""}
    ended = second("create")
    assert ended.code == 1
    assert f"PostgreSQL has a {kind} ckan_test already" in ended.err
    second("remove")
    assert second.marks == {kind: ""}


def test_a_configuration_of_another_one_is_refused_and_stays(second: Second) -> None:
    second.host.write(INI, "[app:main]\n", Access(0o644))
    assert f"{INI} exists" in second("create").err
    second("remove")
    assert second.host.read(INI) == "[app:main]\n"


def test_room_memory_and_ports_are_looked_at_first(second: Second, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(second)
    second.machine.free = disk.GIB
    assert "1024 MiB of free space" in second("create").err
    second.machine.free = 100 * disk.GIB
    second.host.write("/proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 512000 kB\n", Access(0o644))
    assert "500 MiB of memory are available, and a test instance needs 900 MiB." in second("create").err
    second.host.write("/proc/meminfo", before["proc/meminfo"], Access(0o644))
    monkeypatch.setattr(ports, "require_free", lambda found: pytest.fail(str(found)))
    with pytest.raises(pytest.fail.Exception, match="8984"):
        second("create")
    assert files(second) == before


def test_what_was_not_dropped_since_postgresql_did_not_answer_is_dropped_before_another_one(second: Second) -> None:
    second.marks = {"role": database.MARK, "database": database.MARK}
    assert second("create").code == 0


def test_without_the_tools_the_package_is_named(second: Second) -> None:
    second.host.remove_tree("/usr/share/dcor-wheels-test")
    assert "apt install dcor-wheels-test" in second("create").err


def test_status_says_that_there_is_one(second: Second) -> None:
    second("create")
    assert f"{INI} is of a test instance, which was made on " in second.server("status").out
    second.host.remove(RECORD)
    assert f"{HOME} is left of a test instance that is not complete" in second.server("status").out
    second("remove")
    assert "test instance" not in second.server("status").out


def test_check_has_nothing_to_say_of_it(second: Second) -> None:
    second("create")
    assert second.server("check").code == 0
    assert second.server("converge").lines[-1].startswith("0 changed")


def test_a_removal_of_the_package_removes_it(second: Second) -> None:
    second("create")
    problems: list[str] = []
    take_down.take_down(second.host, lambda reason, hint: problems.append(reason))
    assert problems == []
    assert (second.host.exists(HOME), second.host.exists(INI), second.marks) == (False, False, {})
