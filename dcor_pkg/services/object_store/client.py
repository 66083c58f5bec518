"""An S3 client by curl(1), for an external store and for the local one on its socket."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import CommandFailed
from dcor_pkg.kernel import secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.runtime import REGION
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.object_store import local
from dcor_pkg.services.reach import UnusableService

#: what begins the names of all buckets of circles
CIRCLE = "circle-"
CURL = ("curl", "--silent", "--show-error", "--max-time", "60", "--config", "-")


@dataclass(frozen=True)
class Client:
    """A client with a key and a secret, which is passed by standard input."""

    host: Host
    store: Endpoint
    secret: Secret

    def ask(
        self, method: str, path: str, content: str = "", *, signed: bool = True, first_byte: bool = False
    ) -> Answer:
        """Return the answer; curl signs content only when it is in a file (7.88)."""
        with self.host.private_file(content) if content else nullcontext("") as file:
            options = {**self._place(path), "request": method, "write-out": "\n%{http_code}"}
            if signed:
                options |= {"aws-sigv4": f"aws:amz:{REGION}:s3", "user": f"{self.store.user}:{self.secret.reveal()}"}
            if first_byte:
                options["range"] = "0-0"
            if content:
                options |= {"upload-file": file}
            config = "".join(f"{option} = {_quoted(value)}\n" for option, value in options.items())
            try:
                output = self.host.run(*CURL, text=config, timeout=90)
            except CommandFailed as error:
                return Answer(0, error.hint or error.reason)
        body, _, status = output.rpartition("\n")
        return Answer(int(status), body)

    def has(self, path: str) -> bool:
        """Tell whether an object can be read, by its first byte; an empty one has none (RFC 9110, status 416)."""
        return self.ask("GET", path, first_byte=True).status in (200, 206, 416)

    def buckets(self) -> list[str]:
        """Return the names of all buckets. Raises UnusableService."""
        return re.findall("<Name>([^<]*)</Name>", self.require("GET", "/", "list buckets").body)

    def require(self, method: str, path: str, purpose: str, content: str = "") -> Answer:
        """Return the answer to what has to succeed. Raises UnusableService, which names the purpose."""
        answer = self.ask(method, path, content)
        if 200 <= answer.status < 300:
            return answer
        raise UnusableService(f"{self.store.user} cannot {purpose}: {error(answer)}")

    def _place(self, path: str) -> dict[str, str]:
        """Return curl's options for a path: the public name of the local store leads through nginx."""
        if self.store.local:
            return {"url": f"http://localhost{path}", "unix-socket": str(self.host.path(local.S3))}
        return {"url": f"{self.store.origin}{path}"}


def connect(host: Host, store: Endpoint) -> Client:
    """Return a client that has CKAN's key and secret."""
    user, secret = store.login(partial(secrets.read, host))
    return Client(host, replace(store, user=user), secret)


def error(answer: Answer) -> str:
    """Return S3's own code and message (Amazon S3 API Reference, "Error responses")."""
    found = [re.search(f"<{part}>([^<]*)</{part}>", answer.body) for part in ("Code", "Message")]
    text = ": ".join(match[1] for match in found if match)
    return text or (f"it answers {answer.status}" if answer.status else answer.body)


def _quoted(value: str) -> str:
    r"""Return a value as curl's configuration file has it: in quotes, with \ before " and \, and \n for a new line."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
