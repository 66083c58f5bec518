"""The first part of the table of settings: the server's name, certificate, data, services and mail.

All that is asked is here, with the settings that go with it. Standard library only: debconf asks before this package or
its dependencies are unpacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dcor_pkg.answers import server_names, validators
from dcor_pkg.answers.setting import HIGH, LOW, MEDIUM, Get, Question, Setting, password_of, setting
from dcor_pkg.answers.validators import LOCAL

OWN, SELF_SIGNED, ACME = "own", "self-signed", "acme"
#: the choices of `acme_challenge` (RFC 8555, section 8)
HTTP_01, DNS_01 = "http-01", "dns-01"
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
RELOADS_CKAN = "CKAN is reloaded without losing a request."
RELOADS_NGINX = "nginx reloads its configuration."


def _has_own_certificate(get: Get) -> bool:
    return get("certificate") == OWN


def _has_acme_certificate(get: Get) -> bool:
    return get("certificate") == ACME


#: asked, and then required, with an own certificate
WITH_OWN_CERTIFICATE = Question(HIGH, _has_own_certificate, missing="is missing, but your own certificate requires it")


@dataclass(frozen=True)
class ServerTable:
    """The rows, as those of SettingsTable."""

    hostname: str = setting(
        "localhost",
        validators.hostname,
        "The name under which users reach the server.",
        "A self-signed certificate is issued again, and users' programs have to trust the new one. Addresses in the "
        "database and in the search index are updated. " + RELOADS_CKAN,
        "For example dcor.example.org.",
        Question(HIGH, proposal="{host}"),
    )
    email: str = setting(
        "root@localhost",
        validators.email,
        "The administrator's address: the sender of CKAN's mail, and the recipient of failure reports.",
        RELOADS_CKAN,
        "For example admin@example.org.",
        Question(HIGH, proposal="root@{host}"),
    )
    certificate: str = setting(
        SELF_SIGNED,
        validators.one_of(SELF_SIGNED, OWN, ACME),
        "The TLS certificate: self-signed; own (the two files below); or acme, one that an authority issues and renews by "
        "itself. Until it has, a self-signed one is served.",
        RELOADS_NGINX,
        question=Question(HIGH),
    )
    certificate_file: str = setting(
        "",
        validators.empty_or(validators.path),
        "The file with your own certificate (PEM): the server's certificate first, then those of its issuers.",
        "The file is read at each converge, at least once a day. " + RELOADS_NGINX,
        "For example /etc/ssl/private/dcor-chain.pem.",
        WITH_OWN_CERTIFICATE,
    )
    certificate_key: str = setting(
        "",
        validators.empty_or(validators.path),
        "The file with the private key of your own certificate (PEM, without a passphrase).",
        RELOADS_NGINX,
        "For example /etc/ssl/private/dcor-key.pem.",
        WITH_OWN_CERTIFICATE,
    )
    acme_directory: str = setting(
        LETS_ENCRYPT,
        validators.https_address,
        "With acme: the address of the authority's directory (RFC 8555), Let's Encrypt or one of your own. By acme you agree "
        "to its terms of service.",
        "That authority issues a certificate for the same key. " + RELOADS_NGINX,
        "For example https://ca.example.org/acme/acme/directory.",
        Question(MEDIUM, _has_acme_certificate),
    )
    acme_challenge: str = setting(
        HTTP_01,
        validators.one_of(HTTP_01, DNS_01),
        "With acme: how the authority sees that the host name is this server's. http-01: it asks this server on port 80; "
        "dns-01: it asks the DNS, in which your program /etc/dcor-server/acme/dns-hook makes records.",
        "It applies to the next certificate. " + RELOADS_NGINX,
        question=Question(MEDIUM, _has_acme_certificate),
    )
    acme_authority: str = setting(
        "",
        validators.empty_or(validators.path),
        "With acme and an authority of your own: the file with its root certificate (PEM), and that of its directory's "
        "server where that is another one. Programs of this server trust them, and users are told to.",
        "The file is read at each converge, at least once a day.",
        "For example /etc/dcor-server/acme/root.pem.",
    )
    certificate_names: str = setting(
        "",
        server_names.names,
        "Further DNS names and IP addresses under which users reach the server, separated by spaces. A self-signed "
        "certificate has them as well; your own has to. With acme it may be DNS names only.",
        "A self-signed certificate that lacks one is made anew with the same key, and users' programs have to trust the "
        "new one. With an IP address everybody who connects without a name gets the certificate, and so the host name. "
        + RELOADS_NGINX,
        "For example dcor.intranet 192.0.2.10 2001:db8::10.",
    )
    certificate_days: str = setting(
        "3650",
        validators.number(60, 36500),
        "For how many days a self-signed certificate is valid. Programs pin it, so each new one has to reach every "
        "user: that is why it is long. One is made anew 30 days before the end.",
        "It applies to the next certificate: dcor-server certificate renew.",
        "For example 825, the most that Safari accepts.",
    )
    data_directory: str = setting(
        "/data",
        validators.directory,
        "The directory for the measurements.",
        "The data are not moved. Use dcor-server move-data NEW, which moves them and then changes this setting.",
        "For example /data.",
        Question(HIGH),
    )
    scratch_directory: str = setting(
        "/var/cache/dcor-server",
        validators.directory,
        "The directory for temporary files, whose content may be lost at any time.",
        RELOADS_CKAN,
        "For example /var/cache/dcor-server.",
        Question(LOW),
    )
    site_title: str = setting(
        "DCOR",
        validators.line_of(100),
        "The title on each page.",
        RELOADS_CKAN,
        question=Question(MEDIUM),
    )
    database: str = setting(
        LOCAL,
        validators.address("postgresql://USER@HOST/NAME", "postgresql", user=True, path="/[A-Za-z0-9_-]+"),
        "PostgreSQL (12 or newer): local, or postgresql://USER@HOST/NAME, a database in UTF8 in which USER may create "
        "tables. Over a network this machine has to trust its certificate.",
        "Data are not copied; the search index is built again. The local PostgreSQL stops and keeps its data. "
        + RELOADS_CKAN,
        "For example postgresql://ckan@db.example.org/ckan.",
        Question(MEDIUM),
    )
    database_password: ClassVar[Setting] = password_of("database")
    redis: str = setting(
        LOCAL,
        validators.address(
            "redis://HOST[:PORT][/NUMBER] (rediss:// with TLS)", "redis", "rediss", path="(/[0-9]{1,3})?"
        ),
        "Redis (5 or newer, with a password): local, or redis://HOST[:PORT][/NUMBER]; rediss:// with TLS.",
        "Waiting jobs are not copied. The local Redis stops and keeps its data. " + RELOADS_CKAN,
        "For example rediss://redis.example.org:6380/0.",
        Question(MEDIUM),
    )
    redis_password: ClassVar[Setting] = password_of("redis")
    solr: str = setting(
        LOCAL,
        validators.address(
            "https://USER@HOST/solr/CORE", "http", "https", user=True, path="/[A-Za-z0-9_/-]*solr/[A-Za-z0-9_-]+"
        ),
        "Solr (9): local, or https://USER@HOST/solr/CORE, whose core has the schema of the installed CKAN.",
        "The search index is built again. The local Solr stops and keeps its index. " + RELOADS_CKAN,
        "For example https://ckan@search.example.org:8983/solr/ckan.",
        Question(MEDIUM),
    )
    solr_password: ClassVar[Setting] = password_of("solr")
    object_store: str = setting(
        LOCAL,
        validators.address("https://KEY@ENDPOINT", "http", "https", user=True, path="/?"),
        "The object store (S3): local, or https://KEY@ENDPOINT. KEY may create buckets, and bucket policies can refer "
        "to an object's tags.",
        "Measurements are not copied; their addresses in the database are updated. The local object store stops and "
        "keeps its data. " + RELOADS_NGINX + " " + RELOADS_CKAN,
        "For example https://AKIDEXAMPLE@s3.example.org.",
        Question(MEDIUM),
    )
    object_store_secret: ClassVar[Setting] = password_of("object-store")
    mail_relay: str = setting(
        "",
        validators.empty_or(validators.relay),
        "The mail server that accepts this server's mail, HOST or HOST:PORT. If it is empty, no mail is sent.",
        RELOADS_CKAN,
        "For example mail.example.org:25.",
        Question(MEDIUM),
    )
