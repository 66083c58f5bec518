"""The plugin `dcor_server_pages`: pages whose text is a setting, and the options that the server's settings decide.

CKAN lets its plugins say which options a sysadmin may change at /ckan-admin/config and by the API
(`IConfigurer.update_config_schema`). Here these are all but those that ckan.ini sets: CKAN would prefer what was saved
on that page to ckan.ini, from then on and for ever.
"""

from __future__ import annotations

import configparser
import functools
import os
from pathlib import Path
from typing import Any

from ckan import plugins
from ckan.plugins import toolkit
from dcor_runtime import copied_ini

#: what changes an option, and where an administrator sets all others
COMMANDS = {
    "ckan.site_title": "dcor-server set site-title=...",
    "ckan.site_about": "dcor-server set about=...",
}
ADDITIONS = "/etc/dcor-server/ckan.d/*.ini"


class Pages(plugins.SingletonPlugin):  # type: ignore[misc]  # of no known type
    """Has to be the first of all plugins, so that its templates come before those of the theme."""

    plugins.implements(plugins.IConfigurer, inherit=True)
    plugins.implements(plugins.ITemplateHelpers)

    def update_config(self, config: Any) -> None:
        """Add the templates; CKAN has read its configuration by now."""
        copied_ini.warn(config)
        toolkit.add_template_directory(config, "templates")

    def update_config_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Remove what ckan.ini sets."""
        return {key: validators for key, validators in schema.items() if key not in in_ckan_ini()}

    def get_helpers(self) -> dict[str, Any]:
        """Return the functions for the templates."""
        return {"dcor_server_option": option, "dcor_server_decides": decides, "dcor_server_place": place}


def option(key: str) -> str:
    """Return the value of an option."""
    found: str = toolkit.config.get(key, "")
    return found


def decides(key: str) -> bool:
    """Tell whether the server's settings decide an option of CKAN."""
    return key in in_ckan_ini()


def place(key: str) -> str:
    """Return where an administrator changes an option that the server's settings decide."""
    return COMMANDS.get(key, ADDITIONS)


@functools.cache
def in_ckan_ini() -> frozenset[str]:
    """Return the names of the options that ckan.ini sets; programs start anew when it changes."""
    parser = configparser.RawConfigParser(default_section="", strict=False)
    parser.read_string(Path(os.environ["CKAN_INI"]).read_text(encoding="utf-8"))
    return frozenset(parser["app:main"])
