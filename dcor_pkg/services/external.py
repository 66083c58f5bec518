"""Services elsewhere, tried as CKAN will use them before anything depends on them.

Each trial needs nothing of a release, which may not be made yet, and leaves nothing behind. It raises Unusable with
what is wrong; here that becomes an answer that cannot be used, with the name of its question.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import PASSWORDS, InvalidAnswer, Settings, as_answers
from dcor_pkg.kernel import preserved, secrets
from dcor_pkg.machine.host import Host
from dcor_pkg.services import endpoint as services
from dcor_pkg.services.endpoint import PASSWORD_OF, Endpoint
from dcor_pkg.services.object_store import probe as store_probe
from dcor_pkg.services.postgresql import probe as postgresql_probe
from dcor_pkg.services.reach import Unusable
from dcor_pkg.services.redis import probe as redis_probe
from dcor_pkg.services.solr import probe as solr_probe

#: whether it can be used; a store also needs to know what it has to publish
TRIALS = {"database": postgresql_probe.probe, "redis": redis_probe.probe, "solr": solr_probe.probe}
#: whether it is there and lets us in
LOGINS = {
    "database": postgresql_probe.log_in,
    "redis": redis_probe.log_in,
    "solr": solr_probe.log_in,
    "object-store": store_probe.log_in,
}


def probe(host: Host, before: Settings | None, wanted: Settings, passwords: Mapping[str, Secret]) -> None:
    """Try each service that has another address or password than before, and ask the others whether they are there.

    `passwords`: by their questions. Raises InvalidAnswer for the first that cannot be used.
    """
    for endpoint in services.of(wanted).external:
        with _as_answer(wanted, endpoint):
            password = passwords.get(PASSWORD_OF[endpoint.key])
            if password is None:
                raise Unusable(*_no_password(endpoint))
            if not _is_known(host, before, wanted, endpoint, password):
                _try(host, wanted, endpoint, password)
            else:
                LOGINS[endpoint.key](host, endpoint, password)


def fault(host: Host, endpoint: Endpoint) -> str | None:
    """Return why a service does not answer CKAN, or None."""
    password = passwords(host).get(PASSWORD_OF[endpoint.key])
    if password is None:
        return _no_password(endpoint)[0]
    try:
        LOGINS[endpoint.key](host, endpoint, password)
    except Unusable as unusable:
        return unusable.reason
    return None


def passwords(host: Host) -> dict[str, Secret]:
    """Return the passwords that were given for services elsewhere, by their questions; what a purge has put by counts."""
    found = {}
    for question in PASSWORDS:
        name = secrets.external(question)
        text = host.read(secrets.path(name)) or preserved.read(host, f"secrets/{name}")
        if text:
            found[question] = Secret(text.strip())
    return found


def _try(host: Host, wanted: Settings, endpoint: Endpoint, password: Secret) -> None:
    if endpoint.key == "object-store":
        store_probe.probe(host, endpoint, password, public=wanted.public_datasets == "yes")
    else:
        TRIALS[endpoint.key](host, endpoint, password)


@contextlib.contextmanager
def _as_answer(settings: Settings, endpoint: Endpoint) -> Iterator[None]:
    """Turn what is wrong with a service into an answer that cannot be used."""
    try:
        yield
    except Unusable as fault:
        answer = as_answers(settings)[endpoint.key]
        raise InvalidAnswer(f"dcor-server/{endpoint.key}", answer, fault.reason, fault.hint) from None


def _no_password(endpoint: Endpoint) -> tuple[str, str]:
    question = PASSWORD_OF[endpoint.key]
    return f"its password is missing (dcor-server/{question})", f"{question}=@FILE reads it from a file."


def _is_known(host: Host, before: Settings | None, wanted: Settings, endpoint: Endpoint, password: Secret) -> bool:
    """Tell whether it was tried before with this answer and this password; a store also for what it has to publish."""
    if before is None or before.public_datasets != wanted.public_datasets and endpoint.key == "object-store":
        return False
    same = as_answers(before)[endpoint.key] == as_answers(wanted)[endpoint.key]
    return same and Secret((host.read(secrets.path(endpoint.secret)) or "").strip()) == password
