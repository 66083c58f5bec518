"""Probe external services as CKAN will use them, before anything depends on them.

A probe needs no release, which may not be made yet, and leaves nothing behind. Where it raises UnusableService, the
answer to the service's question is invalid.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import InvalidAnswer, Settings, as_answers
from dcor_pkg.kernel import instance, preserved, secrets, settings_file
from dcor_pkg.kernel.proposal import Proposal
from dcor_pkg.machine.host import Host
from dcor_pkg.services import engines
from dcor_pkg.services.endpoint import Endpoint
from dcor_pkg.services.engine import Engine
from dcor_pkg.services.reach import UnusableService


def check(host: Host, proposal: Proposal) -> None:
    """Probe each service whose address or password is new, and log in to the other external ones.

    Raises InvalidAnswer for the first that cannot be used.
    """
    for engine in engines.external(proposal.wanted):
        password = _password(engine, proposal.passwords)
        with _as_invalid_answer(proposal.wanted, engine):
            if password is None:
                raise UnusableService(*_missing_password(engine))
            trial = engine.log_in if _is_known(host, proposal, engine, password) else engine.probe
            trial(host, engines.endpoint(engine, proposal.wanted), password, proposal.wanted)
            if not _may_have_content(host, proposal, engine):
                _require_empty(host, engine, engines.endpoint(engine, proposal.wanted), password)


def problem(host: Host, engine: Engine, settings: Settings) -> str | None:
    """Return why CKAN cannot log in to an external service, or None."""
    password = _password(engine, passwords(host))
    if password is None:
        return _missing_password(engine)[0]
    try:
        engine.log_in(host, engines.endpoint(engine, settings), password, settings)
    except UnusableService as unusable:
        return unusable.reason
    return None


def passwords(host: Host) -> dict[str, Secret]:
    """Return the passwords of external services, by their questions; those that a purge has preserved count."""
    found = {}
    for question in (engine.login_question for engine in engines.ENGINES if engine.login_question):
        name = secrets.external(question)
        text = host.read(secrets.path(name)) or preserved.read(host, f"secrets/{name}")
        if text:
            found[question] = Secret(text.strip())
    return found


def forget_consent(host: Host, settings: Settings) -> None:
    """Remove what let this server take up external services; the step that marks the object store needs its own yet."""
    for engine in engines.external(settings):
        if engine.key != "object-store":
            host.remove(instance.take_up(engine.key))


def _may_have_content(host: Host, proposal: Proposal, engine: Engine) -> bool:
    """Return whether this is no first installation, or one for which the content is meant."""
    if proposal.before is not None or host.exists(instance.INSTANCE) or host.exists(instance.take_up(engine.key)):
        return True
    preserved_answers = settings_file.read_preserved(host) if host.exists(instance.PRESERVED_INSTANCE) else {}
    return preserved_answers.get(engine.key) == as_answers(proposal.wanted)[engine.key]


def _require_empty(host: Host, engine: Engine, endpoint: Endpoint, password: Secret) -> None:
    found = engine.content(host, endpoint, password)
    if found is not None:
        raise UnusableService(
            f"it is not empty ({found}), and not this server's",
            f"To take it up (back it up first): {instance.take_up_command(engine.key)}. To leave it alone, name an empty one.",
        )


def _password(engine: Engine, known: Mapping[str, Secret]) -> Secret | None:
    """Return the password of a service: an empty one where it has none, and None where it is missing."""
    return known.get(engine.login_question) if engine.login_question else Secret("")


@contextlib.contextmanager
def _as_invalid_answer(settings: Settings, engine: Engine) -> Iterator[None]:
    try:
        yield
    except UnusableService as unusable:
        answer = as_answers(settings)[engine.key]
        raise InvalidAnswer(f"dcor-server/{engine.key}", answer, unusable.reason, unusable.hint) from None


def _missing_password(engine: Engine) -> tuple[str, str]:
    return (
        f"its password is missing (dcor-server/{engine.login_question})",
        f"{engine.login_question}=@FILE reads it from a file.",
    )


def _is_known(host: Host, proposal: Proposal, engine: Engine, password: Secret) -> bool:
    """Return whether it was probed with this address and password; a store also with this answer to public-datasets."""
    before, wanted = proposal.before, proposal.wanted
    if before is None or (before.public_datasets != wanted.public_datasets and engine.key == "object-store"):
        return False
    known = secrets.external(engine.login_question) if engine.login_question else ""
    same_password = not known or Secret((host.read(secrets.path(known)) or "").strip()) == password
    return same_password and as_answers(before)[engine.key] == as_answers(wanted)[engine.key]
