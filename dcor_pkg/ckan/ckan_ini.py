"""ckan.ini, the one configuration file of CKAN: made from the settings, and merged with the admin's own options."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from functools import partial

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import additions as ckan_additions
from dcor_pkg.ckan import release
from dcor_pkg.ckan.additions import Option
from dcor_pkg.ckan.programs import DATABASE_OPTION
from dcor_pkg.errors import DcorError
from dcor_pkg.kernel import secrets, templates
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import CKAN_INI, CKAN_USER, CURRENT
from dcor_pkg.services import endpoints
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.solr import cores

ACCESS = Access(0o640, "root", CKAN_USER)


@dataclass(frozen=True)
class CkanIni(ManagedFile):
    """A managed file that is merged with the additions.

    `core`: that of a local Solr, by default the one that the present file names.
    """

    core: str = ""

    def damage(self, text: str) -> str | None:
        """Without this section CKAN cannot start, so nobody has removed it on purpose."""
        is_whole = re.search(rf"^\[{ckan_additions.MAIN}\]", text, re.MULTILINE)
        return super().damage(text) or (None if is_whole else f"lacks the section [{ckan_additions.MAIN}]")

    def text(self, host: Host) -> str:
        return ckan_additions.merged(self._rendered(host), ckan_additions.read(host))

    def validate(self, host: Host) -> None:
        """Raise DcorError for the first addition that CKAN could not read."""
        ckan_additions.validate(self._without_secrets(host), ckan_additions.read(host), self.path)

    def contradictions(self, host: Host) -> list[tuple[Option, str]]:
        """Return each option of an addition that overrides one of dcor-server's, with the overridden value.

        Secrets are masked in these values.
        """
        real, shown = (ckan_additions.options(text) for text in (self._rendered(host), self._without_secrets(host)))
        found = []
        for option in ckan_additions.read(host):
            places = [(section, option.name) for section in (option.section, ckan_additions.DEFAULT)]
            place = next((place for place in places if place in real), None)
            if place is not None and option.value != real[place]:
                found.append((option, shown[place]))
        return found

    def _without_secrets(self, host: Host) -> str:
        return self._rendered(host, hidden=True)

    def _rendered(self, host: Host, *, hidden: bool = False) -> str:
        values = {**self.values, "core": self.core or cores.named(host)}
        return templates.render(self.template, values, host, hidden=hidden)


def ckan_ini(settings: Settings) -> CkanIni:
    """Return the ckan.ini of a server with these settings."""
    values = {
        "settings": settings,
        "services": endpoints.of(settings),
        "licences": f"{CURRENT}/{release.LICENCES}",
        "core": cores.CORES[0],
    }
    return CkanIni(CKAN_INI, "ckan/templates/ckan.ini", values, ACCESS)


def address(host: Host, database: Endpoint) -> str:
    """Return the address of a database, with its password, as the file has it."""
    return templates.ini(database.url(partial(secrets.read, host)))


def require_database(host: Host, database: Endpoint) -> None:
    """Raise DcorError where the file names another database than the settings do, after an edit or by an addition.

    CKAN's commands would change that one, which may be of a server in production.
    """
    wanted = address(host, database)
    named = {found[2] for found in DATABASE_OPTION.finditer(host.read(CKAN_INI) or "")}
    if named and named != {wanted}:
        raise DcorError(
            f"{CKAN_INI} names another database than the settings (sqlalchemy.url), so CKAN's tables were not touched.",
            f"Which database it is, is a setting: dcor-server set database=ADDRESS. Remove the option from {CKAN_INI} or "
            f"from {ckan_additions.DIRECTORY}.",
        )


def enabled_plugins(host: Host) -> list[str]:
    """Return the plugins that the file enables, also by additions: none where it is such that CKAN cannot start."""
    try:
        return ckan_additions.value(host.read(CKAN_INI) or "", CKAN_INI, "ckan.plugins").split()
    except configparser.Error:
        return []


def check_additions(host: Host, proposal: Proposal) -> None:
    """Raise DcorError for the first of the admin's additions that CKAN could not read."""
    ckan_ini(proposal.wanted).validate(host)
