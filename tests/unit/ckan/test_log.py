"""What CKAN says when it does not start is told in one line."""

from __future__ import annotations

import pytest

from dcor_pkg.ckan import log as ckan_log
from dcor_pkg.nginx import additions as nginx_additions

#: as seen, shortened
PLUGIN = """\
Traceback (most recent call last):
  File "/x/dcor_runtime/wsgi.py", line 10, in <module>
    application = runtime.load()
                  ^^^^^^^^^^^^^^
KeyError: 'nonsense'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/x/ckan/plugins/core.py", line 313, in _get_service
    raise PluginNotFoundException(plugin_name)
ckan.plugins.base.PluginNotFoundException: Plugin 'nonsense' not found.

Did you install the 'ckanext-*' Python package that contains the plugin?
unable to load app 0 (mountpoint='') (callable not found or import error)
*** no app loaded. GAME OVER ***
VACUUM: unix socket /run/dcor-server/web/x.sock removed.
"""
LOGGED = """\
Traceback (most recent call last):
  File "/x/requests/adapters.py", line 678, in send
    raise ConnectionError(e, request=request)
requests.exceptions.ConnectionError: refused
2026-11-24 10:35:13,575 WARNI [ckan.lib.search.query] Connection Error: Failed to connect to Solr server.
[pid: 762|app: 0|req: 373/1083] GET / => generated 198 bytes
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            PLUGIN,
            "ckan.plugins.base.PluginNotFoundException: Plugin 'nonsense' not found. Did you install the 'ckanext-*' "
            + "Python package that contains the plugin?",
        ),
        (LOGGED, "requests.exceptions.ConnectionError: refused"),
        ("*** Starting uWSGI ***\n", ""),
        ("", ""),
    ],
)
def test_the_exception_is_found(text: str, words: str) -> None:
    assert ckan_log.exception(text) == words


def test_nginx_names_the_admins_file_and_no_time() -> None:
    said = f'2026/11/24 10:35:31 [emerg] 1138#1138: unexpected "}}" in {nginx_additions.COPIES}/mine.conf:2\n'
    assert nginx_additions.with_admin_paths(said) == '[emerg] unexpected "}" in /etc/dcor-server/nginx.d/mine.conf:2\n'
