"""Use the server as its users do, and write all the time: what was acknowledged has to be there at the end."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import redis
import rq
from rq.job import Job, JobStatus

CONTEXT = ssl.create_default_context()
CONTEXT.check_hostname = False
CONTEXT.verify_mode = ssl.CERT_NONE
QUEUE = "ckan:default:dcor-short"
REDIS = "/run/redis-dcor/redis.sock"
#: a read that takes longer counts as failed
TIMEOUT_SECONDS = 60.0


class Connection(http.client.HTTPSConnection):
    """A connection to this computer."""

    def connect(self) -> None:
        """Connect to the loopback address."""
        plain = socket.create_connection(("127.0.0.1", 443), timeout=TIMEOUT_SECONDS)
        self.sock = CONTEXT.wrap_socket(plain, server_hostname=self.host)


class Server:
    """The server, as its users see it."""

    def __init__(self, name: str, token: str) -> None:
        self._name, self._token = name, token

    def ask(self, target: str, content: Any = None) -> tuple[int, Any]:
        """Send a request on a connection of its own; return status and content. Raises OSError and HTTPException."""
        connection = Connection(self._name, timeout=TIMEOUT_SECONDS)
        headers = {"Authorization": self._token, "Content-Type": "application/json", "Cookie": "dcor=probe"}
        body = None if content is None else json.dumps(content)
        connection.request("POST" if body else "GET", target, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        is_json = (answer.getheader("content-type") or "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text

    def problem(self, target: str) -> str | None:
        """Read; return what is wrong, or None."""
        try:
            status, _ = self.ask(target)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return repr(error)
        return None if status == 200 else f"status {status}"


#: More jobs do not wait at a time, or they would have to be waited for after each signal.
WAITING_JOBS = 3


class Writer(threading.Thread):
    """Creates datasets and queues jobs all the time; what was acknowledged has to be there at the end."""

    def __init__(self, server: Server, circle: str) -> None:
        super().__init__(daemon=True)
        self._server, self._circle = server, circle
        self._redis = redis.Redis(unix_socket_path=REDIS)
        self._queue = rq.Queue(QUEUE, connection=self._redis)
        self.datasets: list[str] = []
        self.jobs: list[str] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        """Write until it is told to stop. What fails was not acknowledged."""
        while not self.stopping.wait(0.5):
            self._acknowledged(self._create_dataset)
            self._acknowledged(self._queue_job)

    def lost(self) -> tuple[list[str], list[str], list[str]]:
        """Return datasets that are not in the database, those not in the index, and jobs that were not done."""
        gone = [name for name in self.datasets if self._show(name) != 200]
        unfound = [name for name in self.datasets if not self._finds(name)]
        return gone, unfound, self._unfinished(self.jobs)

    def await_jobs(self, seconds: float) -> None:
        """Wait until all jobs that are queued now are done, at most so many seconds."""
        queued, deadline = list(self.jobs), time.monotonic() + seconds
        while self._unfinished(queued) and time.monotonic() < deadline:
            time.sleep(0.2)

    def _unfinished(self, jobs: list[str]) -> list[str]:
        """Return jobs with their state."""
        states = ((identity, self._state(identity)) for identity in jobs)
        return [f"{identity} {state}" for identity, state in states if state != "finished"]

    def _show(self, name: str) -> int:
        return self._server.ask(f"/api/3/action/package_show?id={name}")[0]

    def _finds(self, name: str) -> bool:
        target = f"/api/3/action/package_search?include_private=true&include_drafts=true&fq=name:{name}"
        return bool(self._server.ask(target)[1]["result"]["count"] == 1)

    def _state(self, identity: str) -> str:
        try:
            if not Job.exists(identity, connection=self._redis):
                return "gone"
            return str(JobStatus(Job.fetch(identity, connection=self._redis).get_status()).value)
        except redis.ConnectionError:
            return "not known yet, since Redis was killed"

    def _acknowledged(self, write: Callable[[], None]) -> None:
        try:
            write()
        except (OSError, http.client.HTTPException, ValueError, redis.RedisError) as error:
            print(f"not acknowledged: {error!r}", file=sys.stderr)

    def _create_dataset(self) -> None:
        name = f"killed-{uuid.uuid4().hex}"
        content: dict[str, Any] = {
            "name": name,
            "title": name,
            "owner_org": self._circle,
            "authors": "Killer",
            "state": "draft",
        }
        content |= {"private": True, "license_id": "CC0-1.0"}
        status, answer = self._server.ask("/api/3/action/package_create", content)
        if status == 200:
            self.datasets.append(answer["result"]["name"])

    def _queue_job(self) -> None:
        if len(self._unfinished(self.jobs[-WAITING_JOBS:])) == WAITING_JOBS:
            return
        job = self._queue.enqueue("time.sleep", 0.5, result_ttl=7200)
        self.jobs.append(job.id)
