"""A database's password with a special character stops every command that looks at CKAN's tables."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="percent_in_database_url",
    symptom="ValueError: invalid interpolation syntax in 'postgresql://...' at position ...",
    cause="CKAN's Repository (ckan/model/__init__.py) passes the database's URL to alembic unchanged, which interprets "
    "a % (of a quoted password) as the beginning of its own %(NAME)s. The cure doubles it, as the documentation of "
    "alembic's Config.set_main_option says.",
    versions=Versions("ckan", since="2.11.6"),
    cost="`ckan db` and the migrations of the tables fail where the password of an external database has to be quoted.",
    detection='`"sqlalchemy.url", config.get("sqlalchemy.url")` without `.replace` in ckan/model/__init__.py',
    cure=ReplaceText(
        "ckan/model/__init__.py",
        faulty='            "sqlalchemy.url", config.get("sqlalchemy.url")\n',
        fixed='            "sqlalchemy.url", config.get("sqlalchemy.url").replace("%", "%%")\n',
    ),
    proof="tests/system/test_external.py: an external database whose password has to be quoted",
)
