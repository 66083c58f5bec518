"""CKAN as it is installed without this package, for tests in machines: uWSGI below Debian's supervisor."""

from __future__ import annotations

from without_cures import CONFIGURATION, RELEASE

#: with upstream's signal, for which supervisor waits for five seconds instead of ten minutes
UPSTREAM_PROGRAM = f"""\
[program:ckan-uwsgi]
command = {RELEASE}/bin/uwsgi --ini /etc/upstream/uwsgi.ini
process_name = %(program_name)s-%(process_num)02d
numprocs = 1
user = www-data
environment = CKAN_INI="{CONFIGURATION["CKAN_INI"]}"
directory = /
autostart = true
autorestart = true
startsecs = 10
startretries = 100
stopsignal = QUIT
stopwaitsecs = 5
"""
UPSTREAM_UWSGI = f"""\
[uwsgi]
http = 127.0.0.1:8099
virtualenv = {RELEASE}
wsgi-file = /etc/upstream/wsgi.py
callable = application
master = true
need-app = true
die-on-term = true
vacuum = true
buffer-size = 32768
"""
UPSTREAM_WSGI = """\
import os
from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app
application = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())
"""
#: the database takes its time at the next boot
LATE = "[Service]\nExecStartPre=/bin/sleep 20\n"
SUPERVISORS_LOG = "cat /var/log/supervisor/supervisord.log"
OWN_LOG = "journalctl --no-pager --boot --unit=dcor-ckan.service"
