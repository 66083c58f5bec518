"""Ways to damage what steps care for, and to prepare a machine for them."""

from __future__ import annotations

import pwd
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dcor_pkg.answers import settings
from dcor_pkg.answers.secret import Secret
from dcor_pkg.ckan import (
    ckan_ini,
    former_supervisor,
    processes,
    programs,
    readable_checkouts,
    release,
    release_contents,
    upgrade_backup,
)
from dcor_pkg.ckan import unit as ckan_unit
from dcor_pkg.ckan.addresses import Addresses
from dcor_pkg.ckan.migration_state import Act
from dcor_pkg.ckan.programs import Programs
from dcor_pkg.kernel import managed_file, pending, secrets
from dcor_pkg.kernel.instance import PRESERVED_INSTANCE
from dcor_pkg.kernel.runner import Result, run
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine import facts, state_file
from dcor_pkg.machine.host import Access
from dcor_pkg.machine.paths import ADDRESSES, AUTHORITIES, CKAN_INI, CKAN_USER, PRESERVED, PROGRAMS
from dcor_pkg.nginx import upstream
from dcor_pkg.plan import build_plan
from dcor_pkg.runtime import store_mark
from dcor_pkg.services import endpoints
from dcor_pkg.services.object_store import ownership
from dcor_pkg.services.postgresql import cluster
from dcor_pkg.services.solr import cores
from dcor_pkg.tls import self_signed
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from tests.unit.fake_machine import Machine
from tests.unit.fake_programs import postgresql
from tests.unit.tls.authority import INTERMEDIATE, KEY, ROOT, pem

Damage = Callable[[Machine], object]

PUBLIC, FOREIGN = Access(0o644), Access(0o777, "www-data", "games")
LOCAL = {"hostname": "dcor.example.org", "email": "admin@example.org"}
EXTERNAL = {
    **LOCAL,
    "redis": "rediss://redis.example.org",
    "object-store": "https://AKID@s3.example.org",
    "database": "postgresql://dcor@db.example.org/dcor",
}
OWN = {**LOCAL, "certificate": "own", "certificate-file": "/srv/own.pem", "certificate-key": "/srv/own.key"}
CHECKOUT = "/srv/dev/ckanext-mine"
DEVELOPED = {**LOCAL, "develop": CHECKOUT}
FORMER_REDIS, OF_REDIS = "/etc/redis/redis-dcor.conf", Access(0o640, "redis", "redis")
CIRCLE = "11111111-2222-3333-4444-555555555555"
SCRATCH = "/var/lib/dcor-server/scratch-of-the-test"


def plan(machine: Machine, answers: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the plan of a machine with these settings."""
    return build_plan(settings.parse(answers), facts.read(machine.host))


def converged(machine: Machine, steps: tuple[Step, ...]) -> None:
    """Run steps. Raises AssertionError where one fails."""
    failed = [outcome for outcome in run(steps, machine.host) if outcome.result is Result.FAILED]
    assert failed == []


def remove(path: str) -> Damage:
    """Remove a file."""
    return lambda machine: machine.host.path(path).unlink()


def remove_tree(path: str) -> Damage:
    """Remove a directory with everything in it, as a /var/log in memory is empty after a boot."""
    return lambda machine: machine.host.remove_tree(path)


def refuse_requests(machine: Machine) -> None:
    """Let nginx listen after three requests only."""
    machine.site.refusals = 3


def chmod(path: str, mode: int = 0o666) -> Damage:
    """Give a file or directory another mode."""
    return lambda machine: machine.host.path(path).chmod(mode)


def write(path: str, text: str, access: Access = PUBLIC) -> Damage:
    """Replace a file."""
    return lambda machine: machine.host.write(path, text, access)


def give(path: str) -> Damage:
    """Give a directory another owner and mode."""
    return lambda machine: machine.host.make_directory(path, FOREIGN)


def link(path: str, target: str) -> Damage:
    """Make a link."""
    return lambda machine: machine.host.link(path, target)


def request(action: str) -> Damage:
    """Make an action pending."""
    return lambda machine: pending.request(machine.host, action)


def unit(name: str, **state: Any) -> Damage:
    """Change the state of a unit."""

    def change(machine: Machine) -> None:
        machine.systemd.units[name] = replace(machine.systemd.units[name], **state)

    return change


def attribute(part: Callable[[Machine], object], name: str, value: object) -> Damage:
    """Change a value of the fake machine."""
    return lambda machine: setattr(part(machine), name, value)


def preserve(machine: Machine) -> None:
    write(f"{PRESERVED}/secrets/ckan-secret-key", "key\n", secrets.ACCESS)(machine)
    write(PRESERVED_INSTANCE, "id\n")(machine)


def give_passwords(machine: Machine) -> None:
    for question in ("redis-password", "object-store-secret", "database-password"):
        secrets.save(machine.host, secrets.external(question), Secret("secret"))


def become_external(machine: Machine) -> None:
    """Set up everything on this machine, whose services are about to be external."""
    converged(machine, plan(machine, LOCAL))
    give_passwords(machine)
    machine.postgresql.roles["dcor"] = "secret"
    machine.postgresql.databases["dcor"] = replace(machine.postgresql.databases[cluster.DATABASE], owner="dcor")
    machine.postgresql.external = {"db.example.org": {"dcor"}}
    machine.ckan.database = "dcor"


def stop_cluster(machine: Machine) -> None:
    """Stop the cluster as for an external database."""
    write(postgresql.START, f"{cluster.STOPPED}manual\n", Access(0o644, "postgres", "postgres"))(machine)
    unit(postgresql.UNIT, active="inactive")(machine)


def leave_stray(machine: Machine) -> None:
    """Let a program of CKAN run outside of its unit, for half a minute."""
    process = subprocess.Popen(["sleep", "30"])
    directory = f"/proc/{process.pid}"
    write(f"{directory}/cgroup", "0::/system.slice/supervisor.service\n")(machine)
    write(f"{directory}/environ", "".join(f"{mark.decode()}a.b\0" for mark in processes.MARKS))(machine)
    write(f"{directory}/status", f"Name:\tuwsgi\nUid:\t{pwd.getpwnam(CKAN_USER).pw_uid}\t33\t33\t33\n")(machine)

    def disappear() -> None:
        process.wait()
        machine.host.remove_tree(directory)

    threading.Thread(target=disappear, daemon=True).start()


def issue_certificate(machine: Machine) -> None:
    """Write a certificate and its key where the admin has them."""
    SelfSignedCertificate(LOCAL["hostname"]).apply(machine.host)
    text, key = self_signed.PAIR.read(machine.host)
    write("/srv/own.pem", text or "")(machine)
    write("/srv/own.key", key or "", secrets.ACCESS)(machine)


def issue_certificate_with_responder(machine: Machine) -> None:
    """Write one of an authority that this machine trusts, and that answers OCSP."""
    write(AUTHORITIES, ROOT.pem)(machine)
    write(OWN["certificate-file"], INTERMEDIATE.issue(KEY, responder="http://ocsp.example.org") + INTERMEDIATE.pem)(
        machine
    )
    write(OWN["certificate-key"], pem(KEY), secrets.ACCESS)(machine)


def leave_release(machine: Machine) -> None:
    """Leave what a power cut leaves of a release that is being made."""
    machine.host.make_directory(f"{release.DIRECTORY}/.left-over", Access(0o755))


def stop_web(machine: Machine) -> None:
    serving = programs.serving(machine.host)
    assert serving is not None
    machine.supervisor.stopProcess(serving.web, False)


def stop_ckan(machine: Machine) -> None:
    """Stop CKAN's unit, and with it all programs."""
    unit(ckan_unit.UNIT, active="inactive")(machine)
    machine.supervisor.end()


def leave_former_programs(machine: Machine) -> None:
    """Leave a program below Debian's supervisor, as former versions had it."""
    text = "; Managed by dcor-server: the web server\n[program:dcor-web-1.0.aa]\ncommand = web\n"
    machine.host.write(f"{former_supervisor.PROGRAMS}/dcor-1.0.aa.conf", text, PUBLIC)
    machine.debian_supervisor.restart()


def lose_programs_file(machine: Machine) -> None:
    serving = programs.serving(machine.host)
    assert serving is not None
    machine.host.remove(f"{PROGRAMS}/dcor-{serving.id}.conf")


def lose_copies(machine: Machine) -> None:
    for name in machine.host.names(programs.CONFIGURATIONS):
        machine.host.remove_tree(f"{programs.CONFIGURATIONS}/{name}")


def open_copies(machine: Machine) -> None:
    """Let everybody read the copies of ckan.ini, with its passwords."""
    for name in machine.host.names(programs.CONFIGURATIONS):
        machine.host.path(f"{programs.CONFIGURATIONS}/{name}/ckan.ini").chmod(0o644)


def work_as_oneself(machine: Machine) -> None:
    """Let what CKAN makes in the database belong to another role than the database."""
    machine.postgresql.databases[cluster.DATABASE].works_as = "www-data"


def change_order_of_texts(version: str) -> Damage:
    """Let the system have another version of the locale of the database."""
    return lambda machine: setattr(machine.postgresql, "order_of_system", version)


def restore_own_database(machine: Machine) -> None:
    """Have a database that was dropped and made again, as for a backup, on a server that has recorded its use."""
    machine.postgresql.comments.clear()
    state_file.write(machine.host, ADDRESSES, {f"postgresql://127.0.0.1/{cluster.DATABASE}": {}})


def record_former_file(machine: Machine) -> None:
    """Record Redis's configuration where an earlier version had it."""
    managed_file.record(machine.host, FORMER_REDIS, "port 0\n")


def put_back_former_file(machine: Machine) -> None:
    """Have it there, in the directory of redis, changed by the admin."""
    record_former_file(machine)
    machine.host.write(FORMER_REDIS, "port 0\nmaxmemory 1gb\n", OF_REDIS)
    machine.host.make_directory("/etc/redis", Access(0o750, "redis", "redis"))


def lose_index(machine: Machine) -> None:
    machine.postgresql.databases[cluster.DATABASE].datasets = 3
    machine.ckan.documents = 0


def lose_dataset_in_index(machine: Machine) -> None:
    machine.postgresql.databases[cluster.DATABASE].datasets = 3
    machine.ckan.documents = 2


def have_deleted_dataset_in_index(machine: Machine) -> None:
    machine.postgresql.databases[cluster.DATABASE].datasets = 3
    machine.ckan.documents = 4


def have_former_schema(machine: Machine) -> None:
    """Have the cores of an earlier release."""
    core = cores.named(machine.host)
    cores.record(machine.host, cores.Cores(dict.fromkeys(cores.CORES, "<schema/>\n"), {core: 0.0}))


def name_other_core(machine: Machine) -> None:
    """Leave what a run leaves that was cut off before the switch."""
    text = cores.renamed(machine.host.read(CKAN_INI) or "", cores.other(cores.named(machine.host)))
    managed_file.record(machine.host, CKAN_INI, text)
    machine.host.write(CKAN_INI, text, ckan_ini.ACCESS)


def exchange_document(machine: Machine) -> None:
    """Let the index lack one dataset and have another one that is gone: their numbers agree."""
    machine.postgresql.databases[cluster.DATABASE].datasets = machine.ckan.documents = 3
    machine.ckan.strangers = 1


def exchange_document_of_server(machine: Machine) -> None:
    converged(machine, plan(machine, LOCAL))
    exchange_document(machine)


def fall_silent(unit: str) -> Damage:
    """Let a unit run without answering anybody."""
    return lambda machine: machine.systemd.deaf.add(unit)


def lose_socket(machine: Machine) -> None:
    serving = programs.serving(machine.host)
    assert serving is not None
    machine.host.path(serving.socket).unlink()


def truncate_module(machine: Machine) -> None:
    (made,) = release.ids(machine.host)
    site = release.site_packages(machine.host, release.directory(made))
    machine.host.write(f"{site}/dcor_runtime/wsgi.py", "", PUBLIC)


def lose_record(machine: Machine) -> None:
    (made,) = release.ids(machine.host)
    machine.host.remove(f"{release.directory(made)}/{release_contents.RECORD}")


def add_module(machine: Machine) -> None:
    """Do what `pip install` does."""
    (made,) = release.ids(machine.host)
    site = release.site_packages(machine.host, release.directory(made))
    machine.host.write(f"{site}/urllib4.py", "", PUBLIC)


def revision(revision: str | None) -> Damage:
    return lambda machine: setattr(machine.postgresql.databases[cluster.DATABASE], "revision", revision)


def enable_plugin(machine: Machine) -> None:
    """Enable a plugin with migrations of its own in ckan.ini."""
    text = machine.host.read(CKAN_INI) or ""
    machine.host.write(CKAN_INI, text.replace("\nckan.plugins = ", "\nckan.plugins = tracking "), ckan_ini.ACCESS)


def interrupt_migration(machine: Machine) -> None:
    """Leave what a power cut leaves after nginx has turned to the programs with a migrated database."""
    new, former = Programs("2.0", "bbbbbbbb"), Programs("1.0", "aaaaaaaa")
    Act(new, former, f"{cluster.DATABASE}_before_20260101t000000_1_0", "ckan_default_copy", turned=True).record(
        machine.host
    )


def serve_former_release(machine: Machine) -> None:
    machine.host.write(upstream.PATH, Programs("1.0", "aaaaaaaa").upstream, PUBLIC)


def lose_backups(machine: Machine) -> None:
    machine.host.remove_tree(upgrade_backup.DIRECTORY)


def cut_backup(machine: Machine) -> None:
    """Have a backup that was not completed."""
    (made,) = upgrade_backup.ids(machine.host)
    machine.host.rename(f"{upgrade_backup.DIRECTORY}/{made}", f"{upgrade_backup.DIRECTORY}/.{made}")


def make_database_anew(machine: Machine) -> None:
    """Have another database of the same name, with the circles of the former one; all have buckets."""
    database = machine.postgresql.databases[cluster.DATABASE]
    database.oid, database.circles = 16999, {CIRCLE}
    machine.object_store.buckets["local"].add(f"circle-{CIRCLE}")


def take_up_store(machine: Machine) -> None:
    """Let the database have what another server has marked, though it knows none of the circles."""
    machine.object_store.buckets["local"] = {f"circle-{CIRCLE}", store_mark.name("another server", "another database")}
    machine.host.write(ownership.TAKE_UP, "", PUBLIC)


def remove_half_of_release(machine: Machine) -> None:
    """Leave a release as a removal leaves it that was interrupted."""
    (made,) = release.ids(machine.host)
    machine.host.remove(f"{release.directory(made)}/{release.SCHEMA}")


def make_checkout(machine: Machine) -> None:
    """Make a checkout of a developer's, in a directory of that user's."""
    for path in ("/srv/dev", CHECKOUT):
        machine.host.make_directory(path, Access(0o700, "dev", "dev"))
    text = '[project]\nname = "ckanext-mine"\n[project.entry-points."ckan.plugins"]\nmine = "ckanext.mine:Mine"\n'
    machine.host.write(f"{CHECKOUT}/pyproject.toml", text, Access(0o600, "dev", "dev"))


def leave_checkout(machine: Machine) -> None:
    """Leave what was given for a checkout."""
    make_checkout(machine)
    state_file.write(machine.host, readable_checkouts.GIVEN, {CHECKOUT: [["dev", CHECKOUT, "tree"]]})


def move_data_to_nfs(machine: Machine) -> None:
    machine.files.without_locks["/data/ckan"] = "it is on a file system of the type nfs4"


def move_data_from_nfs(machine: Machine) -> None:
    machine.files.without_locks.clear()


def add_pth_file(machine: Machine) -> None:
    """Leave the .pth file of a package that was uninstalled."""
    (made,) = release.ids(machine.host)
    site = release.site_packages(machine.host, release.directory(made))
    machine.host.write(f"{site}/gone-nspkg.pth", "import gone\n", PUBLIC)


def close_directory_of_release(machine: Machine) -> None:
    (made,) = release.ids(machine.host)
    site = release.site_packages(machine.host, release.directory(made))
    machine.host.path(f"{site}/dcor_runtime").chmod(0o700)


def make_closed_release(machine: Machine) -> None:
    converged(machine, plan(machine, LOCAL))
    close_directory_of_release(machine)


def bring_back_known_issue(machine: Machine) -> None:
    """Have the file in a release that a cure has replaced by a link."""
    (made,) = release.ids(machine.host)
    site = release.site_packages(machine.host, release.directory(made))
    machine.host.write(f"{site}/certifi/cacert.pem", "authorities\n", PUBLIC)


def use_former_name(machine: Machine) -> None:
    """Let the addresses in the database be those of another host name."""
    database = endpoints.of(settings.parse(LOCAL)).database
    converged(machine, (Addresses("https://former.example.org", "https://former.example.org", database),))


def save_option(machine: Machine) -> None:
    """Let CKAN's database have an option that ckan.ini sets, as its form for administrators saved it."""
    machine.postgresql.databases["ckan_default"].options["ckan.site_title"] = "Saved in the form"


def restore_database(machine: Machine) -> None:
    """Let there be a database that was another server's."""
    machine.postgresql.databases["ckan_default"] = postgresql.Database("ckan_default")
    save_option(machine)


def drop_in(name: str) -> Damage:
    return write(f"/etc/systemd/system/{name}.d/admin.conf", "[Service]\nNice=5\n")
