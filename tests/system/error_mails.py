"""Let CKAN fail on a machine, and read the mails about it that have come to MAIL_SINK."""

from __future__ import annotations

import contextlib
import email
import email.policy
import time
from collections.abc import Iterator

from dcor_dev.machine import Machine
from website import CURL, SITE

#: Each table is needed by one answer alone, and by nothing that happens by itself. Of the answer: its path, and where
#: in CKAN it fails without the table.
TRANSLATIONS = "term_translation", "/api/3/action/term_translation_show?terms=a", "from ckan/logic/action/get.py:"
TASKS = "task_status", "/api/3/action/task_status_show?id=a", "from ckan/model/"
STATISTICS = "activity", "/stats", "from ckanext/stats/stats.py:"
#: Lets the hour pass that has begun with the last mail of each error.
AN_HOUR_LATER = """
import fcntl, json
with open("/run/dcor-ckan/error-mails.json", "r+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    known = json.load(file)
    file.seek(0)
    file.truncate()
    json.dump({error: [since - 3600, times] for error, (since, times) in known.items()}, file)
"""
ASK = "for i in $(seq {times}); do {curl} --cookie dcor=x --output /dev/null --write-out '%{{http_code}} ' '{site}{path}'; done"


@contextlib.contextmanager
def without_table(machine: Machine, table: str) -> Iterator[None]:
    """Rename a table of CKAN's database for a while."""
    away = f"{table}_away"
    _rename(machine, table, away)
    try:
        yield
    finally:
        _rename(machine, away, table)


def _rename(machine: Machine, table: str, name: str) -> None:
    text = f"set lock_timeout = '30s'; alter table {table} rename to {name};"
    machine.run("psql", "--quiet", "--set=ON_ERROR_STOP=1", "ckan_default", user="postgres", text=text)


def ask(machine: Machine, path: str, times: int = 1, options: str = "") -> list[str]:
    """Ask CKAN for a page that nginx does not cache, one time after the other, and return the status of each answer."""
    script = ASK.format(times=times, curl=f"{CURL} --max-time 30 {options}", site=SITE, path=path)
    return machine.shell(script).split()


def subjects(machine: Machine, words: str) -> list[str]:
    """Return the subjects with these words of the mails about errors that have come so far."""
    found = []
    for mail in machine.path("/srv/mails").read_bytes().split(b"\r\n.\r\n"):
        read = email.message_from_bytes(mail, policy=email.policy.default)
        found.append(" ".join(str(read["Subject"]).split()))
    return [it for it in found if "Application Error" in it and words in it]


def wait_for_mails(machine: Machine, words: str, number: int, seconds: float = 30) -> None:
    """Wait for a number of mails about errors with these words in their subjects."""
    deadline = time.monotonic() + seconds
    while len(subjects(machine, words)) < number:
        assert time.monotonic() < deadline, subjects(machine, "")
        time.sleep(0.5)
