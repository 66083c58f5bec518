"""Queue a job every two seconds until there is a file, and print what each has done: `jobs.py UNTIL LOG`.

It runs on the server itself, as root, with the Python of a release. Each job writes a line into LOG when it begins, and
another one when it ends. Prints JSON: the number of the jobs, and the lines of each one that did not run once.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path

import redis
import rq
from writing import QUEUE, REDIS

#: almost as long as the pause between two, so that mostly one is under way
JOB = """
import time
def write(word):
    with open({log!r}, "a") as file:
        file.write(word + " {number}\\n")
write("begin")
time.sleep(1.5)
write("end")
"""
#: jobs are one behind the other, also behind those of uploads: they wait as long as some of them end
PATIENCE_SECONDS = 120.0


def main(until: Path, log: Path) -> None:
    """Queue jobs, and wait until all are done."""
    queue = rq.Queue(QUEUE, connection=redis.Redis(unix_socket_path=REDIS))
    number = 0
    while not number or not until.exists():
        number += 1
        queue.enqueue("builtins.exec", JOB.format(log=str(log), number=number))
        time.sleep(2.0)
    wrong, moved = not_once(log, number), time.monotonic()
    while wrong and time.monotonic() < moved + PATIENCE_SECONDS:
        time.sleep(1.0)
        before, wrong = wrong, not_once(log, number)
        moved = time.monotonic() if wrong != before else moved
    print(json.dumps({"jobs": number, "wrong": wrong}))


def not_once(log: Path, jobs: int) -> list[str]:
    """Return the jobs that have not begun and ended once, and how often they have."""
    lines = Counter(log.read_text().splitlines() if log.exists() else [])
    counts = {number: (lines[f"begin {number}"], lines[f"end {number}"]) for number in range(1, jobs + 1)}
    return [f"job {number}: begun {it[0]} x, ended {it[1]} x" for number, it in counts.items() if it != (1, 1)]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
