"""Install PostgreSQL, Redis, Solr and an object store on a machine as external services, configured as by other admins.

Their host names point to the same machine. Their certificates are signed by an authority that it does not trust before
TRUST is run.
"""

from __future__ import annotations

from dcor_dev.machine import Machine

#: The addresses by setting; the password of each is PASSWORD.
ADDRESSES = {
    "database": "postgresql://dcor@db.example.org:5440/archive",
    "redis": "rediss://redis.example.org:6390/3",
    "solr": "http://ckan@solr.example.org:8990/solr/ckan",
    "object-store": "https://AKEXTERNAL@s3.example.org:8333",
}
PASSWORD_SETTINGS = {
    "database": "database-password",
    "redis": "redis-password",
    "solr": "solr-password",
    "object-store": "object-store-secret",
}
#: With characters that have a meaning in URLs, INI files and password files.
PASSWORD = r'Ap%art:w/o@h"o#me;%(x)s\7'
DIRECTORY = "/srv/external"

CERTIFICATES = """
mkdir -p /srv/external && cd /srv/external
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout authority-key.pem -out authority.pem \
    -days 300 -subj /CN=authority.example.org 2>&1
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out server.csr -subj /CN=external 2>&1
echo subjectAltName=DNS:db.example.org,DNS:redis.example.org,DNS:s3.example.org >names
openssl x509 -req -in server.csr -CA authority.pem -CAkey authority-key.pem -CAcreateserial -days 200 -extfile names \
    -out server.pem 2>&1
for user in postgres redis; do install -m 0400 -o $user key.pem $user-key.pem; done
echo 127.0.0.1 db.example.org redis.example.org solr.example.org s3.example.org >>/etc/hosts
"""
TRUST = "cp /srv/external/authority.pem /usr/local/share/ca-certificates/external.crt && update-ca-certificates 2>&1"

POSTGRESQL = """
version=$(ls /usr/lib/postgresql)
pg_createcluster $version external --port 5440 --locale C.UTF-8 --encoding UTF8 >/dev/null
pg_conftool $version external set ssl_cert_file /srv/external/server.pem
pg_conftool $version external set ssl_key_file /srv/external/postgres-key.pem
systemctl daemon-reload && systemctl start postgresql@$version-external
runuser -u postgres -- psql --quiet --port 5440 --set=ON_ERROR_STOP=1 --set=password="$(cat /srv/external/password)" <<'SQL'
CREATE ROLE dcor LOGIN PASSWORD :'password';
CREATE ROLE reader LOGIN PASSWORD :'password';
CREATE DATABASE archive OWNER dcor;
CREATE DATABASE latin OWNER dcor TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';
SQL
"""

REDIS = r"""
cat >/etc/redis/redis-external.conf <<CONF
port 0
tls-port 6390
tls-cert-file /srv/external/server.pem
tls-key-file /srv/external/redis-key.pem
tls-ca-cert-file /srv/external/authority.pem
tls-auth-clients no
dir /var/lib/redis
dbfilename external.rdb
requirepass "$(sed 's/["\\]/\\&/g' /srv/external/password)"
CONF
chown redis:redis /etc/redis/redis-external.conf && chmod 0640 /etc/redis/redis-external.conf
systemctl enable --quiet --now redis-server@external
"""

SOLR = r"""
unit=/etc/systemd/system/solr-external.service
sed -e '/^ConditionPathExists/d; /^ExecStartPost/d' -e 's#/var/lib/dcor-solr#/var/lib/solr-external#g' \
    -e 's#dcor-solr.socket#solr-external.socket#' -e 's#^StateDirectory=.*#StateDirectory=solr-external/data#' \
    -e 's#/var/log/dcor-solr#/var/log/solr-external#g; s#^LogsDirectory=.*#LogsDirectory=solr-external#' /lib/systemd/system/dcor-solr.service >$unit
sed '/^ConditionPathExists/d; s#8983#8990#' /lib/systemd/system/dcor-solr.socket >/etc/systemd/system/solr-external.socket
mkdir -p /var/lib/solr-external && cp -a /var/lib/dcor-solr/home /var/lib/solr-external/home
PYTHONPATH=/usr/share/dcor-server python3 -c 'import sys; from dcor_pkg.services.solr import local; from dcor_pkg.answers.secret import Secret; password = Secret(sys.stdin.read().strip()); print(local.security(password, password))' \
    </srv/external/password >/var/lib/solr-external/home/security.json
systemctl daemon-reload && systemctl enable --quiet --now solr-external.socket solr-external.service
"""

STORE = """
mkdir -p /srv/external/store && chown dcor-store /srv/external/store
python3 - <<'PYTHON'
import json, pathlib
directory = pathlib.Path("/srv/external")
login = {"accessKey": "AKEXTERNAL", "secretKey": (directory / "password").read_text().strip()}
actions = ["Admin", "Read", "Write", "List", "Tagging"]
reader = {**login, "accessKey": "AKREADER"}
(directory / "s3.json").write_text(json.dumps({"identities": [
    {"name": "external", "credentials": [login], "actions": actions},
    {"name": "reader", "credentials": [reader], "actions": ["Read", "List"]},
]}))
PYTHON
chown dcor-store /srv/external/s3.json && chmod 0400 /srv/external/s3.json
install -m 0400 -o dcor-store /srv/external/key.pem /srv/external/store-key.pem
cat >/etc/systemd/system/store-external.service <<'UNIT'
[Service]
User=dcor-store
ExecStart=/usr/libexec/dcor-object-store/weed -logtostderr=true server -dir=/srv/external/store -ip=127.0.0.1 -ip.bind=127.0.0.1 \\
 -master.electionTimeout=1s -master.telemetry=false -volume.max=10000 -volume.preStopSeconds=0 -filer -s3 -s3.port=8333 \\
 -s3.cert.file=/srv/external/server.pem -s3.key.file=/srv/external/store-key.pem -s3.config=/srv/external/s3.json \\
 -s3.autoCreateBucket=false -s3.iam=false -s3.port.iceberg=0 -s3.port.lance=0
TimeoutStopSec=30
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload && systemctl enable --quiet --now store-external
"""
WAIT_UNTIL_READY = """
for address in https://s3.example.org:8333/ http://solr.example.org:8990/solr/ckan/admin/ping; do
    until curl --silent --insecure --output /dev/null $address; do sleep 0.2; done
done
"""


#: Responds like a Solr server whose core has an old schema (/old/), and one whose user has no write permission.
STUB = """
import http.server

class Stub(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = "ckan-2.9" if "/old/" in self.path else "ckan-2.11"
        self.respond(200, f'<schema name="{name}" version="1.6">' if "/schema" in self.path else "{}")

    def do_POST(self):
        self.respond(403, "{}")

    def respond(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

http.server.ThreadingHTTPServer(("127.0.0.1", 8991), Stub).serve_forever()
"""


def start_stub(machine: Machine) -> None:
    """Start STUB; it runs until the next boot."""
    machine.write(f"{DIRECTORY}/stub.py", STUB)
    machine.shell("systemd-run --quiet --unit=solr-stub python3 /srv/external/stub.py")
    machine.shell("until curl --silent --output /dev/null http://localhost:8991/; do sleep 0.1; done")


def buckets(machine: Machine) -> str:
    """Return the list of buckets of the external object store."""
    machine.shell(
        r"""umask 077; (printf 'user = "AKEXTERNAL:'; sed 's/["\\]/\\&/g' /srv/external/password | tr -d '\n'; echo '"') >/run/s3.conf"""
    )
    return machine.shell(
        "curl --silent --fail --config /run/s3.conf --aws-sigv4 aws:amz:dcor:s3 https://s3.example.org:8333/; rm /run/s3.conf"
    )


def install(machine: Machine) -> None:
    """Install, start and enable all four services with the same password."""
    machine.write(f"{DIRECTORY}/password", f"{PASSWORD}\n", 0o600)
    machine.write(f"{DIRECTORY}/wrong", "wrong\n", 0o600)
    for script in (CERTIFICATES, POSTGRESQL, REDIS, SOLR, STORE, WAIT_UNTIL_READY):
        machine.shell(script)


def assignments(*keys: str) -> list[str]:
    """Return the arguments of `dcor-server set` for the use of these services."""
    return [f"{key}={ADDRESSES[key]}" for key in keys] + [
        f"{PASSWORD_SETTINGS[key]}=@{DIRECTORY}/password" for key in keys
    ]
