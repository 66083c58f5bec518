"""A case for each class of steps: one step of it, and the ways in which what it cares for is damaged."""

from __future__ import annotations

from dcor_pkg.answers import settings
from dcor_pkg.ckan import additions as ckan_additions
from dcor_pkg.ckan import admin_commands, kept_pythons, programs, supervisor
from dcor_pkg.ckan import unit as ckan_unit
from dcor_pkg.ckan.active_release import ActiveRelease
from dcor_pkg.ckan.addresses import Addresses
from dcor_pkg.ckan.admin_commands import AdminCommands
from dcor_pkg.ckan.ckan_ini import CkanIni
from dcor_pkg.ckan.database_schema import DatabaseSchema
from dcor_pkg.ckan.file_locking import FileLocking
from dcor_pkg.ckan.former_supervisor import NoFormerPrograms
from dcor_pkg.ckan.index_difference import IndexDocuments
from dcor_pkg.ckan.kept_pythons import KeptPythons
from dcor_pkg.ckan.migration_end import NoHalfMigration
from dcor_pkg.ckan.options_in_database import OptionsInDatabase
from dcor_pkg.ckan.readable_checkouts import NoFormerCheckouts, ReadableCheckouts
from dcor_pkg.ckan.release_made import ReleaseMade
from dcor_pkg.ckan.search_core import SearchCore, SearchCoreComplete
from dcor_pkg.ckan.search_index import SearchIndex
from dcor_pkg.ckan.strays import NoStrays
from dcor_pkg.ckan.upgrade_backup import UpgradeBackup
from dcor_pkg.ckan.usable_pth import UsablePth
from dcor_pkg.kernel import instance, pending, secrets
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.instance import INSTANCE
from dcor_pkg.kernel.log_directories import LogDirectories
from dcor_pkg.kernel.log_file import LogFile
from dcor_pkg.kernel.managed_file import ManagedFile, ValidatedFiles
from dcor_pkg.kernel.moved_file import MovedFile
from dcor_pkg.kernel.preserved import PreservedSettings
from dcor_pkg.kernel.secrets import RandomSecret
from dcor_pkg.kernel.state_files import StateFiles
from dcor_pkg.kernel.systemd_service import Service, ServiceStarting, ServiceStopped
from dcor_pkg.machine.paths import AUTHORITIES, CHECKOUTS, CKAN_INI, CURRENT, HDF5_WITHOUT_LOCKS, PACKAGED_CKAN, STATE
from dcor_pkg.nginx import additions as nginx_additions
from dcor_pkg.nginx import error_pages as nginx_error_pages
from dcor_pkg.nginx import example_site, trust_page, upstream
from dcor_pkg.nginx import site as nginx
from dcor_pkg.nginx.error_pages import ErrorPages
from dcor_pkg.nginx.served import Served
from dcor_pkg.nginx.service import NginxService
from dcor_pkg.nginx.site import Site
from dcor_pkg.nginx.trust_page import TrustPage
from dcor_pkg.services import endpoints
from dcor_pkg.services.answering import Answering
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.object_store import socket_activation
from dcor_pkg.services.object_store.local import FilerToken
from dcor_pkg.services.object_store.ownership import StoreMark
from dcor_pkg.services.object_store.socket_activation import NoSocketActivation, SocketActivation
from dcor_pkg.services.postgresql import cluster, psql
from dcor_pkg.services.postgresql.cluster import ClusterRunning, ClusterStopped
from dcor_pkg.services.postgresql.collation import Collation
from dcor_pkg.services.postgresql.local import DatabaseLogin, PostgresqlDatabase
from dcor_pkg.services.redis import debian_instance as debian_redis
from dcor_pkg.services.redis import local as redis
from dcor_pkg.services.redis.debian_instance import DebianInstanceStopped
from dcor_pkg.services.removal_plan import PLAN, RemovalPlan
from dcor_pkg.services.solr import cores
from dcor_pkg.services.solr.local import SolrCore
from dcor_pkg.tls import own_certificate, self_signed, stapling, strict_transport, trust_bundle
from dcor_pkg.tls.own_certificate import OwnCertificate
from dcor_pkg.tls.self_signed import SelfSignedCertificate
from dcor_pkg.tls.stapling import Stapling
from dcor_pkg.tls.strict_transport import StrictTransport
from dcor_pkg.tls.trust_bundle import TrustBundle
from tests.unit.fake_programs import postgresql
from tests.unit.kernel import damages
from tests.unit.kernel.damages import EXTERNAL, LOCAL, OWN, SCRATCH, chmod, link, remove, request, unit, write
from tests.unit.kernel.step_classes import Case
from tests.unit.tls.authority import CHAIN, KEY, NAME, Authority

REDIS_CONF = redis.CONFIGURATION
OPTION = f"{ckan_additions.DIRECTORY}/own.ini"
LOGROTATE = "/etc/logrotate.d/dcor-server"
UWSGI = ManagedFile(f"{SCRATCH}/uwsgi.ini", "ckan/templates/uwsgi.ini", {"workers": 4, "worker_limit": 1024})
VALIDATED = ValidatedFiles("validated files", (UWSGI,), nginx_additions.VALIDATE)

#: the services of LOCAL
USED = endpoints.of(settings.parse(LOCAL))
ALONE = LogFile("/var/log/ckan/alone.log")

CASES = (
    Case(
        StateFiles,
        {
            "cut": write(f"{STATE}/index.json", '{"database": '),
            "empty": write(f"{STATE}/managed.json", ""),
            "instance empty": write(INSTANCE, ""),
        },
        before=write(f"{STATE}/state.json", "null\n"),
    ),
    Case(PreservedSettings, {"instance lost": remove(INSTANCE)}, before=damages.preserve),
    Case(
        RemovalPlan,
        {
            "lost": remove(PLAN),
            "readable": chmod(PLAN, 0o644),
            "changed": write(PLAN, "data / made etc\n", secrets.ACCESS),
            "interrupted": write(instance.DELETED, "/data\n"),
        },
    ),
    Case(
        RandomSecret,
        {
            "lost": remove(secrets.path("solr-password")),
            "empty": write(secrets.path("solr-password"), "", secrets.ACCESS),
            "readable": chmod(secrets.path("solr-password"), 0o644),
        },
        name="solr-password",
    ),
    Case(DataDirectory, {"mode": chmod("/data", 0o777), "instance lost": remove(INSTANCE)}),
    Case(
        Directory,
        {
            "lost": lambda machine: machine.host.remove_tree("/var/log/ckan"),
            "mode": chmod("/var/log/ckan", 0o700),
            "owner": damages.give("/var/log/ckan"),
        },
        name="/var/log/ckan",
    ),
    Case(
        LogDirectories,
        {"in memory": damages.remove_tree("/var/log"), "one removed": damages.remove_tree("/var/log/nginx")},
    ),
    # systemd has made those of the plan, as the case before.
    Case(LogFile, {"lost": remove(ALONE.path), "mode": chmod(ALONE.path)}, alone=ALONE),
    Case(
        ManagedFile,
        {
            "lost": remove(REDIS_CONF),
            "mode": chmod(REDIS_CONF),
            "changed by the admin": write(REDIS_CONF, "port 6379\n", redis.ACCESS),
            "empty": write(REDIS_CONF, "\n", redis.ACCESS),
            "zeros": write(REDIS_CONF, "port 0\n\0\0\0", redis.ACCESS),
            "not recorded": remove("/var/lib/dcor-server/managed.json"),
        },
        name=REDIS_CONF,
    ),
    Case(
        MovedFile,
        {"still there": damages.put_back_former_file, "and gone": damages.record_former_file},
        before=damages.put_back_former_file,
    ),
    Case(ValidatedFiles, {"lost": remove(UWSGI.path), "mode": chmod(UWSGI.path)}, alone=VALIDATED),
    Case(
        CkanIni,
        {
            "lost": remove(CKAN_INI),
            "mode": chmod(CKAN_INI),
            "garbage": write(CKAN_INI, "\udcff\udc80garbage\n", programs.COPY),
            "addition": write(OPTION, "[app:main]\nckan.site_title = Mine\n"),
        },
    ),
    Case(
        SolrCore,
        {
            "schema lost": remove(cores.schema("ckan")),
            "schema changed": write(cores.schema("ckan_b"), "<schema/>\n"),
            "record lost": remove(cores.STATE_FILE),
            "password readable": chmod(f"{cores.HOME}/security.json", 0o644),
            "link": link(f"{cores.HOME}/solr.xml", "/nowhere"),
        },
    ),
    Case(
        FilerToken,
        {
            "lost": remove(object_store.TOKEN),
            "readable": chmod(object_store.TOKEN, 0o644),
            "other key": write(object_store.TOKEN, "other\n", secrets.ACCESS),
        },
    ),
    Case(
        DatabaseLogin,
        {"lost": remove(psql.PASSFILE), "readable": chmod(psql.PASSFILE, 0o644)},
        answers=EXTERNAL,
        before=damages.become_external,
    ),
    Case(
        ClusterRunning,
        {
            "stopped": damages.stop_cluster,
            "killed": unit(postgresql.UNIT, active="failed"),
            "socket lost": damages.fall_silent(postgresql.UNIT),
            "drop-in lost": remove(postgresql.DROP_IN),
            "masked": unit(postgresql.UNIT, active="inactive", file="masked"),
            "masked while it runs": unit(postgresql.UNIT, file="masked-runtime"),
            "disabled": unit(cluster.GROUP, file="disabled"),
            "all clusters masked": unit(cluster.GROUP, file="masked"),
            "drop-in of another cluster": write(postgresql.FORMER_DROP_IN, "[Service]\n"),
        },
        before=damages.stop_cluster,
    ),
    Case(
        ClusterStopped,
        {
            "started": unit(postgresql.UNIT, active="active"),
            "drop-in left": write(postgresql.DROP_IN, "[Service]\n"),
        },
        answers=EXTERNAL,
        before=damages.become_external,
    ),
    Case(
        KeptPythons, {"lost": remove(kept_pythons.FILE), "changed by the admin": write(kept_pythons.FILE, "// none\n")}
    ),
    Case(
        Collation,
        {"another Debian": damages.change_order_of_texts("2.41")},
        before=damages.change_order_of_texts("2.38"),
    ),
    Case(
        PostgresqlDatabase,
        {
            "role lost": lambda machine: machine.postgresql.roles.clear(),
            "role may not log in": lambda machine: machine.postgresql.without_login.add("www-data"),
            "works as another role": damages.work_as_oneself,
            "database lost": lambda machine: machine.postgresql.databases.clear(),
            "mark lost": damages.restore_own_database,
        },
    ),
    Case(
        SelfSignedCertificate,
        {
            "key lost": remove(self_signed.PAIR.key),
            "key readable": chmod(self_signed.PAIR.key, 0o644),
            "not a certificate": write(self_signed.PAIR.certificate, "no certificate"),
            "of another name": lambda machine: SelfSignedCertificate("other.example.org").apply(machine.host),
            "not readable": chmod(self_signed.PAIR.certificate, 0o600),
        },
    ),
    Case(
        OwnCertificate,
        {
            "key lost": remove(own_certificate.SERVED.key),
            "key readable": chmod(own_certificate.SERVED.key, 0o644),
            "certificate lost": remove(own_certificate.SERVED.certificate),
            "writable": chmod(own_certificate.SERVED.certificate),
            "renewed": damages.issue_certificate,
        },
        answers=OWN,
        before=damages.issue_certificate,
    ),
    Case(
        TrustBundle,
        {
            "lost": remove(trust_bundle.BUNDLE),
            "authorities changed": write(AUTHORITIES, "other\n"),
            "not readable": chmod(trust_bundle.BUNDLE, 0o600),
        },
    ),
    Case(
        Stapling,
        {
            "lost": remove(stapling.FILE),
            "edited": write(stapling.FILE, "ssl_stapling off;\n"),
            "writable": chmod(stapling.FILE),
            "no responder": write(own_certificate.SERVED.certificate, CHAIN),
        },
        answers=OWN,
        before=damages.issue_certificate_with_responder,
    ),
    Case(
        StrictTransport,
        {
            "lost": remove(strict_transport.FILE),
            "edited": write(strict_transport.FILE, "add_header X-Other y;\n"),
            "writable": chmod(strict_transport.FILE),
            "self-signed": write(
                own_certificate.SERVED.certificate, Authority.sign(NAME, KEY, Authority(NAME, key=KEY))
            ),
        },
        answers=OWN,
        before=damages.issue_certificate_with_responder,
    ),
    Case(
        ReleaseMade,
        {
            "half removed": damages.remove_half_of_release,
            "known issue": damages.bring_back_known_issue,
            "truncated": damages.truncate_module,
            "added to": damages.add_module,
            "no record": damages.lose_record,
        },
    ),
    Case(
        FileLocking,
        {
            "lost": remove(HDF5_WITHOUT_LOCKS),
            "empty": write(HDF5_WITHOUT_LOCKS, ""),
            "not readable": chmod(HDF5_WITHOUT_LOCKS, 0o600),
            "locks work": damages.move_data_from_nfs,
        },
        before=damages.move_data_to_nfs,
    ),
    Case(
        ReadableCheckouts,
        {
            "closed": lambda machine: machine.files.closed.append(damages.CHECKOUT),
            "closed above": lambda machine: machine.files.closed.append("/srv/dev"),
            "other code": lambda machine: setattr(machine.files, "code", "2"),
            "lost": remove(CHECKOUTS),
        },
        answers=damages.DEVELOPED,
        before=damages.make_checkout,
    ),
    Case(NoFormerCheckouts, {"left": damages.leave_checkout}, before=damages.leave_checkout),
    Case(
        UsablePth,
        {"left over": damages.add_pth_file, "closed": damages.close_directory_of_release},
        before=damages.make_closed_release,
    ),
    Case(
        NoHalfMigration,
        {"cut after the turn": damages.interrupt_migration, "cut in a move of the data": write(nginx.MAINTENANCE, "")},
        before=damages.interrupt_migration,
    ),
    Case(
        UpgradeBackup,
        {"lost": damages.lose_backups, "cut": damages.cut_backup},
        before=damages.serve_former_release,
    ),
    Case(
        DatabaseSchema,
        {
            "old": damages.revision("0123456789ab"),
            "no tables": damages.revision(None),
            "new plugin": damages.enable_plugin,
        },
    ),
    Case(
        Addresses,
        {
            "record lost": remove("/var/lib/dcor-server/addresses-by-database.json"),
            "former name": damages.use_former_name,
        },
    ),
    Case(OptionsInDatabase, {"saved": damages.save_option}, before=damages.restore_database),
    Case(
        ServiceStarting,
        {
            "stopped": unit(redis.UNIT, active="inactive"),
            "failed": unit(redis.UNIT, active="failed"),
            "masked": unit(redis.UNIT, active="inactive", file="masked"),
        },
    ),
    Case(
        Service,
        {
            "stopped": unit(redis.UNIT, active="inactive"),
            "failed": unit(redis.UNIT, active="failed"),
            "disabled": unit(redis.UNIT, file="disabled"),
            "masked": unit(redis.UNIT, active="inactive", file="masked"),
            "masked while it runs": unit(redis.UNIT, file="masked-runtime"),
            "drop-in": damages.drop_in(redis.UNIT),
            "restart": request(f"restart {redis.UNIT}"),
            "reload": request(f"reload {redis.UNIT}"),
        },
        name=redis.UNIT,
    ),
    Case(
        ServiceStopped,
        {"started": unit(redis.UNIT, active="active"), "enabled": unit(redis.UNIT, file="enabled")},
        answers=EXTERNAL,
        before=damages.become_external,
    ),
    Case(
        StoreMark,
        {
            "mark lost": lambda machine: machine.object_store.buckets["local"].clear(),
            "database restored": damages.make_database_anew,
            "taken up": damages.take_up_store,
        },
    ),
    Case(
        ActiveRelease,
        {
            "link lost": remove(CURRENT),
            "configuration changed": write(CKAN_INI, "[app:main]\n", programs.COPY),
            "nginx points elsewhere": write(upstream.PATH, "upstream dcor { server unix:/other.sock; }\n"),
            "programs lost": damages.lose_programs_file,
            "copies lost": damages.lose_copies,
            "copies readable by all": damages.open_copies,
            "socket of supervisor lost": remove(supervisor.SOCKET),
            "stopped": damages.stop_web,
            "socket lost": damages.lose_socket,
            "unit stopped": damages.stop_ckan,
            "restart": request(ckan_unit.RESTART),
            "left over": damages.leave_release,
        },
    ),
    Case(
        NoFormerPrograms, {"of a former version": damages.leave_former_programs}, before=damages.leave_former_programs
    ),
    Case(NoStrays, {"of a killed supervisor": damages.leave_stray}, before=damages.leave_stray),
    Case(DebianInstanceStopped, {"not decided": remove(debian_redis.STATE_FILE)}),
    Case(
        AdminCommands,
        {
            "link lost": remove(f"{PACKAGED_CKAN}/bin/{admin_commands.LINKS[-1]}"),
            "file of the package": write(f"{PACKAGED_CKAN}/bin/activate", "VIRTUAL_ENV=...\n"),
        },
    ),
    Case(
        SocketActivation,
        {
            "file lost": remove(socket_activation.FILES[0].path),
            "socket stopped": unit(socket_activation.SOCKETS[0].unit, active="inactive"),
        },
    ),
    Case(
        NoSocketActivation,
        {"file is back": write(socket_activation.FILES[0].path, "[Unit]\n")},
        answers=EXTERNAL,
        before=damages.become_external,
    ),
    Case(
        Site,
        {
            "file lost": remove(nginx.SITE),
            "not enabled": remove(nginx.ENABLED),
            "Debian's example": link(example_site.ENABLED, example_site.PATH),
            "addition": write(f"{nginx_additions.DIRECTORY}/own.conf", "location /own { return 204; }\n"),
        },
    ),
    Case(
        ErrorPages,
        {
            "page lost": remove(f"{nginx_error_pages.DIRECTORY}/404.html"),
            "not readable": chmod(f"{nginx_error_pages.DIRECTORY}/503.html", 0o600),
        },
    ),
    Case(
        TrustPage,
        {
            "page lost": remove(f"{trust_page.DIRECTORY}/de.html"),
            "changed": write(f"{trust_page.DIRECTORY}/en.html", "other\n"),
            "not readable": chmod(trust_page.CERTIFICATE.path, 0o600),
            "renewed": lambda machine: SelfSignedCertificate(LOCAL["hostname"]).apply(machine.host),
        },
    ),
    Case(NginxService, {"stopped": unit("nginx.service", active="inactive"), "reload": request(pending.RELOAD_NGINX)}),
    Case(Served, {"late": damages.refuse_requests}, before=damages.refuse_requests, alone=Served(LOCAL["hostname"])),
    Case(
        Answering,
        {"deaf": damages.fall_silent(redis.UNIT)},
        before=damages.fall_silent(redis.UNIT),
        name="redis-server@dcor",
    ),
    Case(
        SearchCore,
        {"another schema": damages.have_former_schema, "of the other core": damages.name_other_core},
        before=damages.have_former_schema,
    ),
    Case(
        SearchCoreComplete,
        {"not yet": request(pending.CATCH_UP_INDEX)},
        before=request(pending.CATCH_UP_INDEX),
    ),
    Case(
        SearchIndex,
        {
            "lost": damages.lose_index,
            "a dataset lost": damages.lose_dataset_in_index,
            "a dataset too many": damages.have_deleted_dataset_in_index,
            "record lost": remove("/var/lib/dcor-server/index.json"),
            "of another database": write("/var/lib/dcor-server/index.json", '{"database": "x", "solr": "y"}\n'),
        },
    ),
    Case(
        IndexDocuments,
        {"exchanged": damages.exchange_document, "lost": damages.lose_dataset_in_index},
        before=damages.exchange_document_of_server,
        alone=IndexDocuments(USED.database, USED.solr),
    ),
)
