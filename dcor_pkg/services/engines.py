"""The table of the services that CKAN needs, a row for each, and the questions that are asked of all rows.

To add one: its room with `local` and `probe`, its row here, its setting in answers/.
"""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings, as_answers
from dcor_pkg.answers.validators import LOCAL
from dcor_pkg.kernel import secrets
from dcor_pkg.kernel.systemd_service import ServiceStopped
from dcor_pkg.services.endpoint import Endpoint, from_address
from dcor_pkg.services.engine import Engine
from dcor_pkg.services.object_store import examine as object_store_examine
from dcor_pkg.services.object_store import local as object_store
from dcor_pkg.services.object_store import private_network
from dcor_pkg.services.object_store import probe as object_store_probe
from dcor_pkg.services.object_store.socket_activation import SOCKETS, NoSocketActivation, SocketActivation
from dcor_pkg.services.postgresql import examine as postgresql_examine
from dcor_pkg.services.postgresql import local as postgresql
from dcor_pkg.services.postgresql import probe as postgresql_probe
from dcor_pkg.services.postgresql import psql
from dcor_pkg.services.postgresql.cluster import ClusterStopped, remove_drop_ins
from dcor_pkg.services.redis import examine as redis_examine
from dcor_pkg.services.redis import local as redis
from dcor_pkg.services.redis import probe as redis_probe
from dcor_pkg.services.solr import examine as solr_examine
from dcor_pkg.services.solr import local as solr
from dcor_pkg.services.solr import probe as solr_probe

ENGINES = (
    Engine(
        key="database",
        schemes=("postgresql",),
        unit=postgresql.UNIT,
        login_question="database-password",
        local=postgresql.endpoint,
        set_up=postgresql.steps,
        connect=postgresql.external_steps,
        switch_off=lambda database: (ClusterStopped(database),),
        log_in=postgresql_probe.log_in,
        probe=postgresql_probe.probe,
        content=postgresql_probe.content,
        health=psql.problem,
        examine=postgresql_examine.examine,
        started_by_us=False,
        require=postgresql.require_usable,
        data=postgresql.DATA,
        was_used=postgresql.was_used,
        packages=("postgresql", "postgresql-[0-9]+"),
        find_unit=postgresql.running_unit,
        leave=remove_drop_ins,
    ),
    Engine(
        key="redis",
        schemes=("redis", "rediss"),
        unit=redis.UNIT,
        login_question="redis-password",
        local=redis.endpoint,
        set_up=redis.steps,
        switch_off=lambda _: (ServiceStopped(redis.UNIT),),
        log_in=redis_probe.log_in,
        probe=redis_probe.probe,
        content=redis_probe.content,
        health=redis.problem,
        examine=redis_examine.examine,
        data=redis.DATA,
        was_used=redis.was_used,
    ),
    Engine(
        key="solr",
        schemes=("http", "https"),
        unit=solr.UNIT,
        login_question="solr-password",
        local=solr.endpoint,
        set_up=solr.steps,
        switch_off=lambda _: (ServiceStopped(solr.SOCKET), ServiceStopped(solr.UNIT)),
        log_in=solr_probe.log_in,
        probe=solr_probe.probe,
        content=solr_probe.content,
        health=solr.problem,
        examine=solr_examine.examine,
        ports=solr.PORTS,
        packages=("dcor-solr",),
    ),
    Engine(
        key="object-store",
        schemes=("http", "https"),
        unit=object_store.UNIT,
        login_question="object-store-secret",
        local=object_store.endpoint,
        set_up=lambda settings: (*object_store.steps(settings), SocketActivation()),
        switch_off=lambda _: (NoSocketActivation(), ServiceStopped(object_store.UNIT)),
        log_in=object_store_probe.log_in,
        probe=object_store_probe.probe,
        content=object_store_probe.content,
        health=object_store.problem,
        examine=object_store_examine.examine,
        data=(*(f"stop {socket.unit}" for socket in SOCKETS), *object_store.DATA),
        was_used=object_store.was_used,
        require=private_network.require,
        packages=("dcor-object-store",),
    ),
)


def endpoint(engine: Engine, settings: Settings) -> Endpoint:
    """Return where a service is, by the settings."""
    answer = as_answers(settings)[engine.key]
    if answer == LOCAL:
        return engine.local(settings)
    return from_address(engine.key, answer, secrets.external(engine.login_question) if engine.login_question else "")


def is_local(engine: Engine, settings: Settings) -> bool:
    """Return whether this machine runs the service."""
    return as_answers(settings)[engine.key] == LOCAL


def local(settings: Settings) -> tuple[Engine, ...]:
    """Return the engines that this machine runs."""
    return tuple(engine for engine in ENGINES if is_local(engine, settings))


def external(settings: Settings) -> tuple[Engine, ...]:
    """Return the engines that another machine runs."""
    return tuple(engine for engine in ENGINES if not is_local(engine, settings))
