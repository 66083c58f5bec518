"""The table of settings: one row for each, in the order of the settings file and of the questions.

Those of the server itself come first (server_table.py), those of the site are below. A new setting is a row in one of
them. If it is a question, its text goes into debian/dcor-server.templates (`scripts/templates` writes all but the
description) and its translation into debian/po/de.po; if not, README.md names it. Standard library only: debconf asks
before this package or its dependencies are unpacked.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from dcor_pkg.answers import validators
from dcor_pkg.answers.server_table import RELOADS_CKAN, RELOADS_NGINX, ServerTable
from dcor_pkg.answers.setting import Setting, setting

YES_NO = validators.one_of("yes", "no")
#: the settings that name the text of a page which CKAN has no text for; each is the page's name
PAGES = ("contact", "imprint", "privacy")


def _page(name: str, content: str) -> str:
    """Return the row of one of PAGES."""
    return setting(
        "",
        validators.empty_or(validators.path),
        f"The text of the page /{name}, {content}: the path of a Markdown file.",
        "The file is read at each converge, at least once a day. " + RELOADS_CKAN,
        f"For example /etc/dcor-server/{name}.md.",
    )


@dataclass(frozen=True)
class SettingsTable(ServerTable):
    """The rows. A field `some_name` is the setting, and the question, `some-name`."""

    about: str = setting(
        "ckan",
        validators.word_or("ckan", validators.path),
        "The text of the page /about: the path of a Markdown file; or ckan for what was written at /ckan-admin/config, "
        "and CKAN's own text where nothing was.",
        RELOADS_CKAN,
        "For example /etc/dcor-server/about.md.",
    )
    contact: str = _page("contact", "how to reach those who run this server")
    imprint: str = _page("imprint", "who is responsible for this server, as the law of many countries requires")
    privacy: str = _page("privacy", "which personal data this server processes, and why")
    registration: str = setting(
        "no",
        YES_NO,
        "Whether anybody may create an account in the browser: yes or no. The mail address is not confirmed.",
        RELOADS_CKAN,
    )
    public_datasets: str = setting(
        "yes",
        YES_NO,
        "Whether users may make datasets public: yes or no.",
        "Existing datasets stay as they are. " + RELOADS_CKAN,
    )
    anonymous_listing: str = setting(
        "yes",
        YES_NO,
        "Whether visitors without an account see the lists of circles, collections and users: yes or no.",
        RELOADS_CKAN,
    )
    robots: str = setting(
        "yes",
        YES_NO,
        "Whether search engines may index the public pages: yes or no.",
        RELOADS_NGINX,
    )
    health_from: str = setting(
        "127.0.0.0/8,::1/128",
        validators.word_or("all", validators.word_or("none", validators.networks)),
        "Who may ask https://HOST/healthz, which says up or down to load balancers: networks, separated by commas; all; or "
        "none.",
        RELOADS_NGINX,
        "For example 10.1.0.0/16,fd00::/8, or 10.1.2.3/32 for one computer.",
    )
    workers: str = setting(
        "auto",
        validators.word_or("auto", validators.number(1, 64)),
        "How many requests CKAN answers at once: a number, or auto (twice the number of cores, if memory suffices).",
        RELOADS_CKAN,
        "For example 8; each needs about 100 MB of memory.",
    )
    upload_limit: str = setting(
        "100000",
        validators.number(1, 5000000),
        "The size in MB of the largest file that may be uploaded.",
        RELOADS_CKAN,
    )
    licences: str = setting(
        "dcor",
        validators.word_or("dcor", validators.path),
        "The licences for datasets: dcor, or the path of a JSON file in CKAN's format.",
        RELOADS_CKAN,
        "For example /etc/dcor-server/licences.json.",
    )
    resource_supplements: str = setting(
        "dcor",
        validators.word_or("dcor", validators.path),
        "What users may add to the metadata of a file: dcor, or the path of a directory with JSON files in the format "
        "of ckanext-dcor_schemas.",
        RELOADS_CKAN,
        "For example /etc/dcor-server/supplements; the README shows an example.",
    )
    log_level: str = setting(
        "warning",
        validators.one_of("debug", "info", "warning", "error"),
        "The least severe messages that CKAN writes to /var/log/ckan: debug, info, warning or error.",
        RELOADS_CKAN,
    )
    automatic_reboot: str = setting(
        "no",
        validators.word_or("no", validators.time_of_day),
        "When this machine reboots by itself after an unattended update that needs it (a new kernel): no, or a time of "
        "day, HH:MM. Requests are not answered meanwhile.",
        "It applies to the next update.",
        "For example 04:30.",
    )
    develop: str = setting(
        "",
        validators.empty_or(validators.paths),
        "For developers only: checkouts of CKAN's extensions, as absolute paths separated by spaces, from which CKAN runs "
        "in the place of the tested versions. Whoever owns one can do on this site whatever CKAN can.",
        "A release is made with them, and CKAN's user may read them; later code is loaded at the next converge. "
        + RELOADS_CKAN,
        "For example /srv/dcor-repos/ckanext-dc_view, with a pyproject.toml or setup.cfg in it.",
    )


def rows() -> dict[str, Setting]:
    """Return the rows by their keys, in the order in which they are written."""
    of_values = {item.name: item.metadata["row"] for item in fields(SettingsTable)}
    names = {**ServerTable.__annotations__, **SettingsTable.__annotations__}
    return {name.replace("_", "-"): of_values.get(name) or getattr(SettingsTable, name) for name in names}
