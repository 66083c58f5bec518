"""The questionnaire as tests put it: an answer to each question, and what was shown."""

from __future__ import annotations

from dcor_pkg.answers import questions
from dcor_pkg.answers.debconf_wire import Wire
from dcor_pkg.answers.questions import QUESTIONS
from tests.unit.answers.frontend import Frontend

#: an answer to each question, so that all are asked
ALL = {
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
KEYS = [question.key for question in QUESTIONS]


def asked(frontend: Frontend, kept: dict[str, str] | None = None) -> list[str]:
    """Ask, and return what was shown."""
    questions.ask(Wire(frontend), kept, {})
    frontend.finish()
    return frontend.asked
