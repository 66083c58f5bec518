"""Try an object store elsewhere: the signature, and all that DCOR does there, in a bucket that is removed again.

Measurements are private until their object is tagged as public. Stores differ in whether a bucket's policy can say
so, and one that cannot would keep secret what is public, or publish what is not: that is tried, too.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from functools import partial

from dcor_pkg.answers.secret import Secret
from dcor_pkg.errors import CommandFailed
from dcor_pkg.machine.host import Host
from dcor_pkg.machine.unix_http import Answer
from dcor_pkg.runtime import REGION
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.reach import Unusable, reach

#: the signature is that of our own; the rest tells it from a circle's bucket
BUCKET = "dcor-server-check-"
CURL = ("curl", "--silent", "--show-error", "--max-time", "60", "--config", "-")
TAGGING = "<Tagging><TagSet><Tag><Key>public</Key><Value>true</Value></Tag></TagSet></Tagging>"
#: what every one of them is asked for, and what for: method, what in the bucket, content, what it is good for
WRITES = (
    ("PUT", "", "", "make buckets"),
    ("PUT", "?policy=", "policy", "set the policy of a bucket"),
    ("PUT", "/object", "measurement", "store objects"),
    ("GET", "/object", "", "read objects"),
)
REMOVES = (("DELETE", "/object", "", "delete objects"), ("DELETE", "", "", "delete buckets"))


@dataclass(frozen=True)
class Client:
    """Somebody with a key and a secret, by curl; the secret goes by standard input."""

    host: Host
    store: Endpoint
    secret: Secret

    def ask(self, method: str, path: str, content: str = "", *, signed: bool = True) -> Answer:
        """Return the answer; curl signs content only when it is in a file (7.88)."""
        with self.host.private_file(content) as file:
            lines = {"url": f"{self.store.origin}{path}", "request": method, "write-out": "\n%{http_code}"}
            if signed:
                lines |= {"aws-sigv4": f"aws:amz:{REGION}:s3", "user": f"{self.store.user}:{self.secret.reveal()}"}
            if content:
                lines |= {"upload-file": file}
            config = "".join(f"{option} = {_quoted(value)}\n" for option, value in lines.items())
            try:
                said = self.host.run(*CURL, text=config, timeout=90)
            except CommandFailed as error:
                return Answer(0, error.hint or error.reason)
        body, _, status = said.rpartition("\n")
        return Answer(int(status), body)


def log_in(host: Host, store: Endpoint, secret: Secret) -> None:
    """Raise Unusable where CKAN is not let in."""
    reach(store)
    answer = Client(host, store, secret).ask("GET", "/")
    if answer.status != 200:
        reason = f"it does not let {store.user} list buckets: {_words(answer)}"
        raise Unusable(reason, "Give the secret anew: object-store-secret=@FILE.")


def probe(host: Host, store: Endpoint, secret: Secret, *, public: bool) -> None:
    """Raise Unusable for the first thing that DCOR could not live with; `public`: whether datasets may be."""
    log_in(host, store, secret)
    client = Client(host, store, secret)
    bucket = f"/{BUCKET}{uuid.uuid4().hex[:16]}"
    try:
        _all_done(client, bucket, WRITES)
        _validate_privacy(client, bucket, public=public)
    finally:
        left = [_refusal(client, bucket, step) for step in REMOVES]
    if any(left):
        raise Unusable(next(filter(None, left)), f"The bucket {bucket[1:]} may be left there.")


def _validate_privacy(client: Client, bucket: str, *, public: bool) -> None:
    """See what anybody can read before and after an object is tagged as public."""
    anybody = partial(client.ask, "GET", f"{bucket}/object", signed=False)
    if anybody().status == 200:
        raise Unusable(
            "everybody could read private measurements there: it ignores conditions in the policy of a bucket"
        )
    _all_done(client, bucket, (("PUT", "/object?tagging=", TAGGING, "tag objects"),))
    if public and anybody().status != 200:
        raise Unusable(
            "nobody could read public measurements there: its policies know nothing of an object's tags",
            "With public-datasets=no it can be used.",
        )


def _all_done(client: Client, bucket: str, steps: tuple[tuple[str, str, str, str], ...]) -> None:
    for step in steps:
        if (refusal := _refusal(client, bucket, step)) is not None:
            raise Unusable(refusal)


def _refusal(client: Client, bucket: str, step: tuple[str, str, str, str]) -> str | None:
    method, path, content, purpose = step
    answer = client.ask(method, bucket + path, _policy(bucket[1:]) if content == "policy" else content)
    return None if 200 <= answer.status < 300 else f"{client.store.user} may not {purpose} there: {_words(answer)}"


def _policy(bucket: str) -> str:
    """Return what dcor_shared's `require_bucket` makes the policy of each bucket."""
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:GetObject"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"s3:ExistingObjectTag/public": ["true"]}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _words(answer: Answer) -> str:
    """Return S3's own code and message."""
    found = [re.search(f"<{part}>([^<]*)</{part}>", answer.body) for part in ("Code", "Message")]
    said = ": ".join(match[1] for match in found if match)
    return said or (f"it answers {answer.status}" if answer.status else answer.body)


def _quoted(value: str) -> str:
    r"""Return a value as curl's configuration has it: in quotes, with \ before " and \, and \n for a new line."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
