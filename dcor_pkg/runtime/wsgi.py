"""Prefork without shared sockets: CKAN is loaded once in uWSGI's master, which lets go of every connection before it forks.

Half the memory and a third of the start time of a load in each worker (lazy-apps). Workers that shared
a socket to PostgreSQL with the master would fail in concurrent requests (ckan/ckan#5933).
"""

import uwsgi
from dcor_runtime import application as runtime

application = runtime.load()
runtime.let_go(close=True)
uwsgi.post_fork_hook = lambda: runtime.let_go(close=False)
