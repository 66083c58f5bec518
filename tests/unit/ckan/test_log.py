"""The message of the exception that stops CKAN is reported on one line."""

from __future__ import annotations

import pytest

from dcor_pkg.ckan import log as ckan_log
from dcor_pkg.machine.host import Host
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
            (
                "ckan.plugins.base.PluginNotFoundException: Plugin 'nonsense' not found. "
                "Did you install the 'ckanext-*' Python package that contains the plugin?"
            ),
        ),
        (LOGGED, "requests.exceptions.ConnectionError: refused"),
        ("*** Starting uWSGI ***\n", ""),
        ("", ""),
    ],
)
def test_the_message_of_the_last_exception_is_found(text: str, words: str) -> None:
    assert ckan_log.exception(text) == words


def test_nginx_names_the_admins_file_and_no_time() -> None:
    said = f'2026/11/24 10:35:31 [emerg] 1138#1138: unexpected "}}" in {nginx_additions.COPIES}/mine.conf:2\n'
    assert nginx_additions.with_admin_paths(said) == '[emerg] unexpected "}" in /etc/dcor-server/nginx.d/mine.conf:2\n'


@pytest.mark.parametrize(("before", "position"), [(3, 4), (99, 1)], ids=["grown", "rotated"])
def test_only_what_was_written_since_is_read_and_by_ckans_user(
    host: Host, monkeypatch: pytest.MonkeyPatch, before: int, position: int
) -> None:
    calls: list[tuple[str, ...]] = []

    def run(_: Host, *argv: str, user: str, timeout: float = 0) -> str:
        assert argv[0] == "stat" or 0 < timeout <= 60, "a FIFO would let it wait for ever"
        calls.append((user, *argv))
        return "7\n" if argv[0] == "stat" else LOGGED

    monkeypatch.setattr(Host, "run", run)
    assert ckan_log.last_exception(host, before) == "requests.exceptions.ConnectionError: refused"
    assert calls[-1] == ("www-data", "tail", f"--bytes=+{position}", "/var/log/ckan/web.log")
    assert {call[0] for call in calls} == {"www-data"}
