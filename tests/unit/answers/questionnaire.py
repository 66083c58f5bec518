"""Answers that let all questions be asked, and the questionnaire on a frontend."""

from __future__ import annotations

from dcor_pkg.answers import questions
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.settings import ROWS
from tests.unit.answers.frontend import Frontend

#: those for another kind of certificate than ALL has
OF_ACME = ("acme-directory", "acme-challenge")
KEYS = [key for key in questions.QUESTIONNAIRE if key not in OF_ACME]
ALL = {
    **{key: ROWS[key].default for key in KEYS},
    "hostname": "dcor.example.org",
    "email": "admin@example.org",
    "certificate": "own",
    "certificate-file": "/srv/chain.pem",
    "certificate-key": "/srv/key.pem",
    "data-directory": "/srv/data",
    "scratch-directory": "/srv/scratch",
    "site-title": "Cells & Beads",
    "database": "postgresql://ckan@db.example.org/ckan",
    "database-password": "hush-database",
    "redis": "rediss://redis.example.org/1",
    "redis-password": "hush-redis",
    "solr": "https://ckan@solr.example.org/solr/ckan",
    "solr-password": "hush-solr",
    "object-store": "https://KEY@s3.example.org",
    "object-store-secret": "hush-s3",
    "mail-relay": "mail.example.org:25",
}


def asked(frontend: Frontend, saved: dict[str, str] | None = None) -> list[str]:
    """Ask, and return the keys of the questions that were shown."""
    questions.ask(Wire(frontend), saved, {})
    frontend.finish()
    return frontend.asked
