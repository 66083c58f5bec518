"""Damages to a server that a converge heals: how each is done, what `check` says, and what may be restarted for it.

No edits of an administrator are among them, since those stay.
"""

from __future__ import annotations

from dataclasses import dataclass

ETC, STATE, SYSTEMD = "/etc/dcor-server", "/var/lib/dcor-server", "/etc/systemd/system"
RELEASE = f"{STATE}/current"
SITE_PACKAGES = f"{RELEASE}/lib/python3*/site-packages"
MAILER = f"$(ls {SITE_PACKAGES}/ckan/lib/mailer.py)"
SECRETS, TLS, SOLR_HOME = f"{ETC}/secrets", f"{ETC}/tls", "/var/lib/dcor-solr/home"
CKAN_INI, STORE = "/etc/ckan/default/ckan.ini", "/etc/dcor-object-store"
SUPERVISORD = "/usr/share/dcor-server/files/supervisord.conf"
SUPERVISORCTL = f"supervisorctl -c {SUPERVISORD}"
#: removes documents from the index, as if their addition had been lost
FORGET = (
    "curl --silent --show-error --fail --config /etc/dcor-solr/probe.conf --header 'Content-Type: text/xml' "
    "--data '<delete><query>{query}</query></delete>' 'http://127.0.0.1:8983/solr/ckan/update?commit=true'"
)
SQL = "runuser -u postgres -- psql --quiet --command={sql}"
CLUSTER = "$(systemctl list-units --plain --no-legend 'postgresql@*' | cut -d' ' -f1)"
#: a release is in a lower layer of the machine's overlay at first, where no directory can be renamed (rename(2), EXDEV)
OWN_RELEASE = f"cd {STATE}/releases; for it in *; do cp -a $it .copy; rm -r $it; mv .copy $it; done; "

#: patterns of units, and of the names of CKAN's programs in supervisor
PROGRAMS = ("dcor-web-*", "dcor-jobs-*")
CKAN_UNIT = ("dcor-ckan.service", *PROGRAMS)
#: job workers end without Redis, and are started again
REDIS = ("redis-server@dcor.service", *PROGRAMS)
POSTGRESQL, NGINX, SOLR = ("postgresql@*-main.service",), ("nginx.service",), ("dcor-solr.service",)
OBJECT_STORE, DOORS = ("dcor-object-store.service",), ("dcor-store-door@*.socket",)


@dataclass(frozen=True)
class Damage:
    """A shell command, a part of "STEP: REASON" as `check` has it, and the patterns of what may be restarted."""

    command: str
    said: str
    restarts: tuple[str, ...] = ()


PROCESSES = {
    "socket of the web server": Damage(
        "rm $(ls /run/dcor-ckan/*.sock | grep -v -e probe -e supervisor)", "socket", CKAN_UNIT
    ),
    "socket of the probe": Damage("rm /run/dcor-ckan/*.probe.sock", "socket", CKAN_UNIT),
    "socket of supervisor": Damage("rm /run/dcor-ckan/supervisor.sock", "of supervisor is gone", CKAN_UNIT),
    "socket of Redis": Damage("rm /run/redis-dcor/redis.sock", "does not answer", REDIS),
    "socket of PostgreSQL": Damage("rm /run/postgresql/.s.PGSQL.5432", "since its socket is gone", POSTGRESQL),
    "socket of the store": Damage(
        "rm /run/dcor-object-store/s3.sock", "answer of dcor-object-store", (*OBJECT_STORE, *DOORS)
    ),
    "socket of the filer": Damage(
        "rm /run/dcor-object-store/filer.sock", "answer of dcor-object-store", (*OBJECT_STORE, *DOORS)
    ),
    "web server stopped": Damage(
        f"{SUPERVISORCTL} stop $({SUPERVISORCTL} status | awk '/^dcor-web-/ {{ print $1 }}')", "is STOPPED", PROGRAMS
    ),
    "job workers stopped": Damage(
        f"{SUPERVISORCTL} stop $({SUPERVISORCTL} status | awk '/^dcor-jobs-/ {{ print $1 }}')", "is STOPPED", PROGRAMS
    ),
}

UNITS = {
    "a timer disabled": Damage(
        "systemctl disable --quiet --now dcor-nightly.timer", "is inactive", ("dcor-nightly.timer",)
    ),
    "a timer masked": Damage("systemctl mask --quiet --now dcor-converge.timer", "is masked", ("dcor-converge.timer",)),
    "a service masked": Damage("systemctl mask --quiet --now --runtime redis-server@dcor", "is masked", REDIS),
    "CKAN masked while it runs": Damage("systemctl mask --quiet dcor-ckan", "dcor-ckan.service is masked"),
    "PostgreSQL masked while it runs": Damage(f"systemctl mask --quiet {CLUSTER}", "main.service is masked"),
    "all clusters disabled": Damage("systemctl disable --quiet postgresql", "no cluster would start at boot"),
    "PostgreSQL stopped": Damage(
        f"systemctl stop {CLUSTER}", "main.service does not accept connections", (*POSTGRESQL, *PROGRAMS)
    ),
    "nginx disabled": Damage("systemctl disable --quiet nginx", "service nginx.service: is disabled"),
    "nginx stopped": Damage("systemctl stop nginx", "service nginx.service: is inactive", NGINX),
    "Solr stopped and disabled": Damage(
        "systemctl disable --quiet --now dcor-solr.socket dcor-solr", "is inactive", (*SOLR, "dcor-solr.socket")
    ),
    "store masked while it runs": Damage("systemctl mask --quiet dcor-object-store", "is masked"),
    "socket for waiting requests": Damage(
        "systemctl stop dcor-store-door@s3.socket", "dcor-store-door@s3.socket is inactive", DOORS
    ),
    "unit file of that socket": Damage(f"rm '{SYSTEMD}/dcor-store-door@.socket'", "is missing", DOORS),
    "drop-in of nginx": Damage(f"rm {SYSTEMD}/nginx.service.d/dcor-server.conf", "is missing"),
    "drop-in of PostgreSQL": Damage(f"rm {SYSTEMD}/postgresql@*.service.d/dcor-server.conf", "is missing"),
    "drop-in of Redis": Damage(f"rm {SYSTEMD}/redis-server@dcor.service.d/dcor-server.conf", "is missing", REDIS),
    "drop-in of CKAN": Damage(f"rm {SYSTEMD}/dcor-ckan.service.d/dcor-server.conf", "is missing", CKAN_UNIT),
    "drop-in from the future": Damage(
        f"touch --date=2099-01-01 {SYSTEMD}/dcor-ckan.service.d/dcor-server.conf", "its unit file has changed"
    ),
}

FILES = {
    "Redis's configuration": Damage(f"rm {ETC}/redis.conf", f"file {ETC}/redis.conf: is missing", REDIS),
    "empty file of nginx's site": Damage(
        "truncate --size=0 /etc/nginx/sites-available/dcor", "is empty, so it is written anew"
    ),
    "link to nginx's site": Damage("rm /etc/nginx/sites-enabled/dcor", "is not enabled"),
    "Debian's example site": Damage(
        "ln -s /etc/nginx/sites-available/default /etc/nginx/sites-enabled/default", "example site is enabled"
    ),
    "nginx's way to CKAN": Damage(f"rm {STATE}/nginx/upstream.conf", "since its programs were started"),
    "copy of an addition": Damage(f"echo 'return 204;' > {STATE}/nginx/additions/stray.conf", "is not applied yet"),
    "maintenance left on": Damage(f"touch {STATE}/nginx/maintenance", "everybody gets 503"),
    "error page": Damage(f"rm {STATE}/nginx/errors/404.html", "404.html"),
    "page about trust": Damage(f"rm {STATE}/nginx/trust/de.html", "de.html"),
    "ckan.ini garbage": Damage(f"head --bytes=4096 /dev/urandom > {CKAN_INI}", "so it is written anew"),
    "ckan.ini empty": Damage(f"truncate --size=0 {CKAN_INI}", "is empty, so it is written anew"),
    "ckan.ini lost": Damage(f"rm {CKAN_INI}", f"file {CKAN_INI}: is missing"),
    "ckan.ini readable by all": Damage(f"chmod 0644 {CKAN_INI}", f"file {CKAN_INI}: is root:www-data 0644"),
    "ckan.ini of CKAN's user": Damage(f"chown www-data {CKAN_INI}", f"file {CKAN_INI}: is www-data:www-data 0640"),
    "uwsgi.ini": Damage(f"rm {ETC}/uwsgi.ini", "uwsgi.ini: is missing"),
    "copy of ckan.ini": Damage(
        f"for it in {STATE}/configurations/*/ckan.ini; do echo > $it; done", "does not hold the present configuration"
    ),
    "copy of ckan.ini closed": Damage(
        f"chmod 0600 {STATE}/configurations/*/ckan.ini", "ckan.ini is root:www-data 0600"
    ),
    "file of the programs": Damage(f"rm {STATE}/programs/*.conf", "is missing"),
    "rotation of logs": Damage("rm /etc/logrotate.d/dcor-server", "logrotate.d/dcor-server: is missing"),
    "apt: what it keeps": Damage("rm /etc/apt/apt.conf.d/01dcor-server", "01dcor-server: is missing"),
    "apt: updates": Damage("rm /etc/apt/apt.conf.d/02dcor-server", "02dcor-server: is missing"),
    "apt: Pythons": Damage("rm /etc/apt/apt.conf.d/03dcor-server", "03dcor-server: is missing"),
    "needrestart": Damage("rm /etc/needrestart/conf.d/dcor-server.conf", "needrestart"),
    "keys of the store": Damage(f"rm {STORE}/s3.json", "s3.json: is missing", (*OBJECT_STORE, *DOORS)),
    "locks of the filer": Damage(f"rm {STORE}/security.toml", "security.toml: is missing", (*OBJECT_STORE, *DOORS)),
    "filer token readable": Damage(f"chmod 0644 {SECRETS}/filer-token.conf", "filer token of nginx: is root:root 0644"),
    "a secret readable": Damage(f"chmod 0644 {SECRETS}/ckan-secret-key", "secret ckan-secret-key: is root:root 0644"),
    # Whoever is signed in has to sign in again, and API tokens are void: nothing else holds the secret for good.
    "secret of CKAN": Damage(f"rm {SECRETS}/ckan-secret-key", "secret ckan-secret-key: is missing", CKAN_UNIT),
    "command of CKAN": Damage("rm /usr/lib/ckan/default/bin/ckan", "is not a link to the active release"),
    "an empty state file": Damage(f"echo -n > {STATE}/state.json", "state files"),
    # What is in the managed files is not known any more, so what reads them is restarted.
    "a cut state file": Damage(
        f"truncate --size=20 {STATE}/managed.json", "state files", (*REDIS, *CKAN_UNIT, *OBJECT_STORE, *DOORS)
    ),
    "id of the server": Damage(f"rm {STATE}/instance", "does not say yet whose data are in /data"),
    "empty id of the server": Damage(f"truncate --size=0 {STATE}/instance", "instance is damaged (it is empty)"),
    "removal plan": Damage(f"rm {STATE}/removal-plan", "removal plan: is missing"),
    "record of the addresses": Damage(f"rm {STATE}/addresses-by-database.json", "have not been recorded yet"),
}

#: a new certificate is one that CKAN has to trust, so its programs are exchanged
CERTIFICATES = {
    "certificate and key no pair": Damage(
        f"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 > {SECRETS}/tls-key.pem",
        "does not belong to its key",
        PROGRAMS,
    ),
    "certificate lost": Damage(f"rm {TLS}/certificate.pem", "certificate: is missing", PROGRAMS),
    "certificate garbage": Damage(f"echo garbage > {TLS}/certificate.pem", "certificate: cannot be read", PROGRAMS),
    "certificate closed": Damage(f"chmod 0600 {TLS}/certificate.pem", "certificate: its file is root:root 0600"),
    "key readable": Damage(f"chmod 0644 {SECRETS}/tls-key.pem", "certificate: its key is root:root 0644", PROGRAMS),
    "trust bundle": Damage(f"rm {TLS}/bundle.pem", "trust bundle"),
    "trust bundle closed": Damage(f"chmod 0600 {TLS}/bundle.pem", "bundle.pem is root:root 0600"),
}

DIRECTORIES = {
    # CKAN's unit writes in the directories that were there at its start.
    "logs of CKAN": Damage("rm -r /var/log/ckan", "directory /var/log/ckan: is missing", CKAN_UNIT),
    "logs open": Damage("chmod 0755 /var/log/dcor-server", "directory /var/log/dcor-server: is root:adm 0755"),
    "log of root's": Damage("chown root:root /var/log/ckan/jobs.log", "log /var/log/ckan/jobs.log: is root:root"),
    "scratch": Damage("rm -r /var/cache/dcor-server", "directory /var/cache/dcor-server: is missing", CKAN_UNIT),
    "storage of root's": Damage("chown root:root /data/ckan/storage", "directory /data/ckan/storage: is root:root"),
    "data directory closed": Damage("chmod 0700 /data", "data directory"),
    "volumes open": Damage("chmod 0755 /data/object-store", "directory /data/object-store"),
    "state closed": Damage(f"chmod 0700 {STATE}", f"directory {STATE}: is root:root 0700"),
    "releases closed": Damage(f"chmod 0700 {STATE}/releases", f"directory {STATE}/releases: is root:root 0700"),
    "configurations of CKAN's user": Damage(
        f"chown www-data {STATE}/configurations", f"directory {STATE}/configurations: is www-data:root"
    ),
    "directory of ckan.ini closed": Damage("chmod 0700 /etc/ckan/default", "directory /etc/ckan/default"),
}

SEARCH = {
    "index below Solr": Damage("rm -r /var/lib/dcor-solr/data/ckan", "has lost", SOLR),
    "a dataset in the index": Damage(FORGET.format(query="name:*"), "the database has 1"),
    "index emptied": Damage(FORGET.format(query="*:*"), "has 0 datasets, and the database has 1"),
    "schema cut": Damage(
        f"truncate --size=100 {SOLR_HOME}/configsets/ckan/conf/schema.xml", "is not as it should be", SOLR
    ),
    "core lost": Damage(f"rm {SOLR_HOME}/ckan/core.properties", "core.properties is missing", SOLR),
    "link of Solr": Damage(f"rm {SOLR_HOME}/solr.xml", "is not a link to", SOLR),
    "passwords of Solr readable": Damage(f"chmod 0644 {SOLR_HOME}/security.json", "security.json is", SOLR),
    "record of the cores": Damage(f"rm {STATE}/search-cores.json", "is not recorded yet", SOLR),
    "record of the index": Damage(f"rm {STATE}/index.json", "has not been recorded yet"),
    "password of Solr lost": Damage(
        f"rm {SECRETS}/solr-password", "secret solr-password: is missing", (*SOLR, *PROGRAMS)
    ),
    "password of Solr changed": Damage(
        f"echo another > {SECRETS}/solr-password", "probe.conf is not as it should be", (*SOLR, *PROGRAMS)
    ),
}

DATABASE = {
    "role may not log in": Damage(
        SQL.format(sql="""'ALTER ROLE "www-data" NOLOGIN'"""), "postgresql database: www-data cannot log in"
    ),
    "role dropped": Damage(
        SQL.format(sql="""'DROP ROLE "www-data"'"""), "postgresql database: www-data cannot log in", PROGRAMS
    ),
    "mark of the database": Damage(
        SQL.format(sql="'COMMENT ON DATABASE ckan_default IS NULL'"), "does not have the mark of this server"
    ),
}

RELEASES = {
    "link to the release": Damage(f"rm {RELEASE}", "the active release is none"),
    "the release": Damage(f"rm -r {STATE}/releases/*", "does not exist", CKAN_UNIT),
    "a module of the release": Damage(f"{OWN_RELEASE} echo > {MAILER}", "has changed its file", CKAN_UNIT),
    "a module lost": Damage(f"{OWN_RELEASE} rm {MAILER}", "has lost its file", CKAN_UNIT),
    "a module closed": Damage(f"{OWN_RELEASE} chmod 0600 {MAILER}", "has changed its file", CKAN_UNIT),
    "a module from the future": Damage(
        f"{OWN_RELEASE} touch --date=2099-01-01 {MAILER}", "has changed its file", CKAN_UNIT
    ),
    "a link in the release": Damage(f"{OWN_RELEASE} rm {RELEASE}/bin/python3", "has lost its file", CKAN_UNIT),
    "record of the release": Damage(f"{OWN_RELEASE} rm {RELEASE}/contents", "has no record of its files", CKAN_UNIT),
    "a module by pip": Damage(
        f"{OWN_RELEASE} mkdir $(echo {SITE_PACKAGES})/other; touch $(echo {SITE_PACKAGES})/other/a.py",
        "has got the file",
        CKAN_UNIT,
    ),
}

DAMAGES = {
    **PROCESSES,
    **UNITS,
    **FILES,
    **CERTIFICATES,
    **DIRECTORIES,
    **SEARCH,
    **DATABASE,
    **RELEASES,
}

#: done one by one also where there is little time; each of the others is like one of these, or of TOGETHER
ALONE = (
    *("socket of the web server", "ckan.ini garbage"),
    *("index below Solr", "the release"),
)
#: harmless ones that do not depend on each other: done at the same time, and healed by one converge
TOGETHER = (
    *("a timer masked", "PostgreSQL masked while it runs", "drop-in of nginx", "rotation of logs"),
    *("apt: what it keeps", "error page", "ckan.ini readable by all", "copy of ckan.ini closed", "a secret readable"),
    *("command of CKAN", "trust bundle closed", "certificate closed", "logs open", "removal plan"),
)


@dataclass(frozen=True)
class Lost:
    """What no converge can bring back: how it is lost and found again, and parts of what a converge says."""

    command: str
    undo: str
    reason: str
    hint: str


REFUSED = {
    "data of another server": Lost(
        "cp -a /data/.dcor-server /root/marker; echo another > /data/.dcor-server",
        "cp -a /root/marker /data/.dcor-server; rm /root/marker",
        "holds the data of another server",
        "Mount its disk (mount /data)",
    ),
    "database of another server": Lost(
        SQL.format(sql="\"COMMENT ON DATABASE ckan_default IS 'dcor-server instance another'\""),
        SQL.format(sql=f"\"COMMENT ON DATABASE ckan_default IS 'dcor-server instance $(cat {STATE}/instance)'\""),
        "not this server's",
        "take-up-database",
    ),
    "settings": Lost(
        f"mv {ETC}/dcor-server.conf /root/settings",
        f"mv /root/settings {ETC}/dcor-server.conf",
        "dcor-server.conf is missing",
        "dpkg-reconfigure dcor-server",
    ),
}
