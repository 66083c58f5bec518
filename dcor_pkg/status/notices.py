"""Notices: what an administrator should know although nothing is wrong. They change no exit code."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from functools import partial

from dcor_pkg.answers import settings_text
from dcor_pkg.answers.settings import PAGES, Settings, as_answers
from dcor_pkg.answers.validators import LOCAL
from dcor_pkg.ckan import additions as ckan_additions
from dcor_pkg.ckan import held_release, outdated, search_index, sizes, stored_files
from dcor_pkg.ckan.ckan_ini import ckan_ini
from dcor_pkg.ckan.known_issues import notices as known_issues
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import managed_file
from dcor_pkg.kernel.report import Notice
from dcor_pkg.machine import side_by_side
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.paths import CKAN_INI, CONFIGURATION
from dcor_pkg.nginx import additions as nginx_additions
from dcor_pkg.services.object_store import private_network
from dcor_pkg.services.postgresql import versions as postgresql_versions
from dcor_pkg.status import updates
from dcor_pkg.test_instance import record as test_instance
from dcor_pkg.tls import ending as certificate_end
from dcor_pkg.tokens import issued as access_tokens

#: finds notices of one kind
Source = Callable[[], Iterable[Notice]]
#: characters of a value that a notice shows
VALUE_LENGTH = 60
#: a source that `check` shows like a step
STORED_FILES = "stored files"


def collect(host: Host, settings: Settings) -> list[Notice]:
    """Return the notices of all sources. They contain no secret."""
    return [it for found in by_source(host, settings).values() for it in found]


def by_source(host: Host, settings: Settings) -> dict[str, list[Notice]]:
    """Return the notices of each source, which are asked side by side."""
    asked = sources(host, settings)
    with side_by_side.started(partial(listed, source) for source in asked.values()) as found:
        return {name: result() for name, result in zip(asked, found)}


def listed(source: Source) -> list[Notice]:
    """Return what a source finds."""
    return list(source())


def sources(host: Host, settings: Settings) -> dict[str, Source]:
    """Return what finds notices, by what it looks at, in the order in which they are shown."""
    return {
        "the release that is held back": partial(held_release.notices, host),
        "pages": partial(empty_pages, settings),
        "the memory": partial(sizes.notices, host),
        "changed files and additions": partial(_files, host, settings),
        "known issues": partial(known_issues.collect, host),
        "the search index": partial(search_index.notices, host),
        STORED_FILES: partial(stored_files.notices, host, settings),
        "the network of the object store": partial(private_network.notices, host),
        "settings of a newer version": partial(_newer_settings, host),
        "updates": partial(updates.notices, host),
        "the version of PostgreSQL": partial(_postgresql, host, settings),
        "replaced libraries": partial(outdated.notices, host, settings),
        "the end of the certificate": partial(certificate_end.notices, host, settings),
        "a test instance": partial(test_instance.notices, host),
        "access tokens": partial(access_tokens.notices, host, settings),
    }


def _files(host: Host, settings: Settings) -> list[Notice]:
    changed = managed_file.changed_by_admin(host)
    overridden = [] if CKAN_INI in changed else _overridden(host, settings)
    return [*overridden, *(_changed(host, path) for path in changed)]


def _postgresql(host: Host, settings: Settings) -> Iterable[Notice]:
    return postgresql_versions.notices(host) if settings.database == LOCAL else ()


def _newer_settings(host: Host) -> list[Notice]:
    ignored = settings_text.ignored(host.read(settings_text.PATH) or settings_text.HEADER)
    message = f"has settings of a newer version, which are kept and have no effect: {', '.join(ignored)}"
    return [Notice(settings_text.PATH, message, "An upgrade to that version takes them up again.")] if ignored else []


def not_applied(host: Host, settings: Settings) -> list[Notice]:
    """Return what is wrong with additions; in a converge, the steps of their files report the same."""
    validators = {
        ckan_additions.DIRECTORY: ckan_ini(settings).validate,
        nginx_additions.DIRECTORY: nginx_additions.validate,
    }
    found = []
    for directory, validate in validators.items():
        try:
            validate(host)
        except DcorError as error:
            found.append(Notice(directory, f"is not in effect: {error.reason}", error.hint))
    return found


def empty_pages(settings: Settings) -> list[Notice]:
    """Return that pages have no text which the law may require of whoever runs a server."""
    empty = [name for name in PAGES if not as_answers(settings)[name]]
    if not empty:
        return []
    return [
        Notice(
            settings_text.PATH,
            f"names no text for the pages /{', /'.join(empty)}; they show the administrator's email address only",
            f"Write each as a Markdown file, then: dcor-server set {_assignments(empty)}",
        )
    ]


def _assignments(names: list[str]) -> str:
    return " ".join(f"{name}={CONFIGURATION}/{name}.md" for name in names)


def _overridden(host: Host, settings: Settings) -> list[Notice]:
    """Return the options in which an addition contradicts dcor-server; none where an addition is invalid."""
    try:
        contradictions = ckan_ini(settings).contradictions(host)
    except DcorError:
        return []  # the step of ckan.ini fails, and reports it
    return [
        Notice(
            option.file,
            f"sets {option}, which dcor-server sets to {textwrap.shorten(value, VALUE_LENGTH)!r}; "
            "the value in this file is in effect",
            f"To use dcor-server's value, remove line {option.line}, then run: dcor-server converge",
        )
        for option, value in contradictions
    ]


def _changed(host: Host, path: str) -> Notice:
    new = managed_file.new_version(path)
    command = f"mv {new} {path}" if host.exists(new) else f"rm {path}"
    consequence = f"; the options in {ckan_additions.DIRECTORY} have no effect" if path == CKAN_INI else ""
    return Notice(
        path,
        f"was changed by an administrator, so dcor-server does not update it{consequence}",
        f"To use dcor-server's version instead: {command}; dcor-server converge",
    )
