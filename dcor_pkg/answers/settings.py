"""The settings: what the admin wants, frozen, typed and validated.

The standard library only: debconf asks before anything of ours, or of what we depend on, is unpacked, and then
judges by the very same code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dcor_pkg.answers import validators
from dcor_pkg.answers.validators import LOCAL, Validator
from dcor_pkg.errors import DcorError

YES_NO = validators.one_of("yes", "no")
OWN, SELF_SIGNED = "own", "self-signed"
MISSING = "is missing, and the certificate is your own"

#: Questions whose answer is a secret, and the setting that it belongs to: its file is secrets.external(KEY).
PASSWORDS = {
    "database-password": "database",
    "redis-password": "redis",
    "solr-password": "solr",
    "object-store-secret": "object-store",
}


class InvalidAnswer(DcorError):
    """An answer that cannot be used; it names the question. A password, be it in an address, is not repeated."""

    def __init__(self, question: str, answer: str, reason: str, hint: str = "") -> None:
        self.question, self.cause = question, reason
        secret = question.partition("/")[2] in PASSWORDS
        self.shown = "..." if secret else masked(answer)
        super().__init__(f"{question} = {self.shown!r}: {reason}", hint)


def masked(answer: str) -> str:
    """Return an answer without the password that an address in it may hold."""
    return re.sub(r"(//[^/@]*:)[^@]*@", r"\1...@", answer)


def _setting(default: str, validator: Validator, about: str, effect: str, hint: str = "", question: bool = True) -> str:
    told = {"validator": validator, "about": about, "effect": effect, "hint": hint, "question": question}
    value: str = field(default=default, metadata=told)
    return value


def _in_file(default: str, validator: Validator, about: str, effect: str, hint: str = "") -> str:
    return _setting(default, validator, about, effect, hint, question=False)


SECRET: Mapping[str, Any] = {"validator": validators.none_or(validators.secret), "hint": "It has no blanks."}
CKAN_RELOADS = "CKAN is loaded again, without a request lost."
NGINX_RELOADS = "nginx reads its site again."


@dataclass(frozen=True)
class Settings:
    """Everything that an admin can choose. A question `dcor-server/KEY` sets `key`, with _ for -."""

    hostname: str = _setting(
        "localhost",
        validators.hostname,
        "The name under which users reach the server.",
        "A self-signed certificate is made anew, and with it what users' programs have to trust; addresses in the "
        "database and in the search index follow. " + CKAN_RELOADS,
        hint="For example dcor.example.org.",
    )
    email: str = _setting(
        "root@localhost",
        validators.email,
        "The admin's address: mail of CKAN and of the timers.",
        CKAN_RELOADS,
        hint="For example admin@example.org.",
    )
    certificate: str = _setting(
        SELF_SIGNED,
        validators.one_of(SELF_SIGNED, OWN),
        "Where the TLS certificate comes from: self-signed, or own (the two files below).",
        NGINX_RELOADS,
    )
    certificate_file: str = _setting(
        "",
        validators.none_or(validators.path),
        "Your own certificate (PEM), the server's first, then those that signed it.",
        "It is read at each converge, once a day at least; " + NGINX_RELOADS,
        hint="For example /etc/ssl/private/dcor-chain.pem.",
    )
    certificate_key: str = _setting(
        "",
        validators.none_or(validators.path),
        "The private key (PEM, without a passphrase) of your own certificate.",
        NGINX_RELOADS,
        hint="For example /etc/ssl/private/dcor-key.pem.",
    )
    data_directory: str = _setting(
        "/data",
        validators.directory,
        "Where measurements lie.",
        "Data are not moved by this: dcor-server move-data NEW moves them, and then changes this setting.",
        hint="For example /data.",
    )
    scratch_directory: str = _setting(
        "/var/cache/dcor-server",
        validators.directory,
        "Temporary files; may be lost at any time.",
        CKAN_RELOADS,
        hint="For example /var/cache/dcor-server.",
    )
    site_title: str = _setting("DCOR", validators.line_of(100), "The title on each page.", CKAN_RELOADS)
    database: str = _setting(
        LOCAL,
        validators.address("postgresql://USER@HOST/NAME", "postgresql", user=True, path="/[A-Za-z0-9_-]+"),
        "PostgreSQL (12 or newer): local, or postgresql://USER@HOST/NAME, a database in UTF8 that USER may make tables "
        "in. Over a network its certificate has to be one that this machine trusts.",
        "The data of the one are not copied to the other; the search index is made anew; our own PostgreSQL stops, and "
        "keeps what it has. " + CKAN_RELOADS,
        hint="For example postgresql://ckan@db.example.org/ckan.",
    )
    redis: str = _setting(
        LOCAL,
        validators.address(
            "redis://HOST[:PORT][/NUMBER] (rediss:// with TLS)", "redis", "rediss", path="(/[0-9]{1,3})?"
        ),
        "Redis (5 or newer, with a password): local, or redis://HOST[:PORT][/NUMBER]; rediss:// with TLS.",
        "Jobs that wait in the one are not copied to the other; our own Redis stops, and keeps what it has. "
        + CKAN_RELOADS,
        hint="For example rediss://redis.example.org:6380/0.",
    )
    solr: str = _setting(
        LOCAL,
        validators.address(
            "https://USER@HOST/solr/CORE", "http", "https", user=True, path="/[A-Za-z0-9_/-]*solr/[A-Za-z0-9_-]+"
        ),
        "Solr: local, or https://USER@HOST/solr/CORE, whose core has the schema of the installed CKAN.",
        "The index is made anew; our own Solr stops, and keeps what it has. " + CKAN_RELOADS,
        hint="For example https://ckan@search.example.org:8983/solr/ckan.",
    )
    object_store: str = _setting(
        LOCAL,
        validators.address("https://KEY@ENDPOINT", "http", "https", user=True, path="/?"),
        "The object store (S3): local, or https://KEY@ENDPOINT, where KEY may make buckets, and policies know an "
        "object's tags.",
        "The measurements of the one are not copied to the other; their addresses in the database follow; our own store "
        "stops, and keeps what it has. " + NGINX_RELOADS + " " + CKAN_RELOADS,
        hint="For example https://AKIDEXAMPLE@s3.example.org.",
    )
    mail_relay: str = _setting(
        "",
        validators.none_or(validators.relay),
        "The mail server that takes our mail: HOST or HOST:PORT; empty for no mail.",
        CKAN_RELOADS,
        hint="For example mail.example.org:25.",
    )
    about: str = _in_file(
        "ckan",
        validators.a_word_or("ckan", validators.path),
        "The text of the page /about: ckan for CKAN's own, or the path of a file of yours in Markdown.",
        CKAN_RELOADS,
        hint="For example /etc/dcor-server/about.md.",
    )
    registration: str = _in_file(
        "no", YES_NO, "Whether strangers may make themselves an account in the browser: yes or no.", CKAN_RELOADS
    )
    public_datasets: str = _in_file(
        "yes",
        YES_NO,
        "Whether users may make datasets public: yes or no.",
        "Datasets stay as they are. " + CKAN_RELOADS,
    )
    anonymous_listing: str = _in_file(
        "yes", YES_NO, "Whether guests see lists of circles, collections and users: yes or no.", CKAN_RELOADS
    )
    robots: str = _in_file(
        "yes", YES_NO, "Whether search engines may index the public pages: yes or no.", NGINX_RELOADS
    )
    workers: str = _in_file(
        "auto",
        validators.a_word_or("auto", validators.number(1, 64)),
        "How many requests CKAN answers at once: a number, or auto (twice the cores, as memory allows).",
        CKAN_RELOADS,
        hint="For example 8; each needs about 100 MB of memory.",
    )
    upload_limit: str = _in_file(
        "100000", validators.number(1, 5000000), "The largest file that may be uploaded, in MB.", CKAN_RELOADS
    )
    licences: str = _in_file(
        "dcor",
        validators.a_word_or("dcor", validators.path),
        "The licences that a dataset may have: dcor, or the path of a JSON file of your own in CKAN's format.",
        CKAN_RELOADS,
        hint="For example /etc/dcor-server/licences.json.",
    )
    resource_supplements: str = _in_file(
        "dcor",
        validators.a_word_or("dcor", validators.path),
        "What may be said of a file beside what it says itself: dcor, or the path of a directory with JSON files in "
        "the format of ckanext-dcor_schemas.",
        CKAN_RELOADS,
        hint="For example /etc/dcor-server/supplements; the README shows an example.",
    )
    log_level: str = _in_file(
        "warning",
        validators.one_of("debug", "info", "warning", "error"),
        "How much CKAN writes into /var/log/ckan: debug, info, warning or error.",
        CKAN_RELOADS,
    )

    def __post_init__(self) -> None:
        for name in KEYS:
            validate(name, getattr(self, name.replace("-", "_")))
        if self.certificate == OWN:
            for name in ("certificate-file", "certificate-key"):
                if not getattr(self, name.replace("-", "_")):
                    raise InvalidAnswer(f"dcor-server/{name}", "", MISSING)

    @property
    def data(self) -> str:
        """The data directory without a slash at its end."""
        return self.data_directory.rstrip("/")

    @property
    def scratch(self) -> str:
        """The scratch directory without a slash at its end."""
        return self.scratch_directory.rstrip("/")


def key(name: str) -> str:
    """Return the key in the file, and the question's name, of a field."""
    return name.replace("_", "-")


FIELDS = {key(item.name): item for item in fields(Settings)}
KEYS = tuple(FIELDS)
#: those that debconf asks, in the file's order
QUESTIONS = tuple(name for name in KEYS if FIELDS[name].metadata["question"])


def default(name: str) -> str:
    """Return what counts where nothing is answered."""
    return str(FIELDS[name].default)


def validate(name: str, answer: str) -> None:
    """Validator the answer to one question by itself. Raises InvalidAnswer."""
    told = SECRET if name in PASSWORDS else FIELDS[name].metadata
    reason = told["validator"](answer)
    if reason is not None:
        raise InvalidAnswer(f"dcor-server/{name}", answer, reason, told["hint"])


def parse(answers: Mapping[str, str]) -> Settings:
    """Make settings of answers; those that are missing or empty are the defaults. Raises InvalidAnswer."""
    unknown = sorted(set(answers) - set(KEYS))
    if unknown:
        raise DcorError(f"There is no setting {unknown[0]!r}.", hint=f"There are: {', '.join(KEYS)}.")
    return Settings(**{name.replace("-", "_"): text.strip() for name, text in answers.items() if text.strip()})


def as_answers(settings: Settings) -> dict[str, str]:
    """Return the settings as the file, and debconf, know them."""
    return {name: getattr(settings, name.replace("-", "_")) for name in KEYS}
