"""The steps of the services room: what configures local engines, starts them, and switches off those not needed."""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.managed_file import ManagedFile
from dcor_pkg.kernel.step import Step
from dcor_pkg.kernel.systemd_service import Service, ServiceStarting
from dcor_pkg.machine.facts import Facts
from dcor_pkg.services import endpoints, engines
from dcor_pkg.services.answering import Answering
from dcor_pkg.services.engine import Engine
from dcor_pkg.services.object_store.ownership import StoreMark
from dcor_pkg.services.redis.debian_instance import DebianInstanceStopped
from dcor_pkg.services.removal_plan import RemovalPlan


def removal_plan(settings: Settings, lines: tuple[str, ...]) -> RemovalPlan:
    """Return the step that writes down what a purge may delete; `lines` are those of other rooms."""
    return RemovalPlan(settings.data, tuple(engine.key for engine in engines.local(settings)), lines)


def steps(settings: Settings, _: Facts) -> tuple[Step, ...]:
    """Return the steps that configure each engine, or connect to an external one.

    Those that we start are told to start as soon as they can, and start while the next steps run.
    """
    started = _started_here(settings)
    others = [engine for engine in engines.ENGINES if engine not in started]
    return (
        ManagedFile("/etc/apt/apt.conf.d/01dcor-server", "services/templates/apt.conf", {"packages": _packages()}),
        *(step for engine in started for step in engine.set_up(settings)),
        *(ServiceStarting(engine.unit) for engine in started),
        *(step for engine in others for step in _set_up_or_connect(engine, settings)),
        DebianInstanceStopped(),
    )


def running_steps(settings: Settings, _: Facts) -> tuple[Step, ...]:
    """Return the steps that wait until the local engines run, and answer."""
    started = _started_here(settings)
    return (
        *(Service(engine.unit) for engine in started),
        *(Answering(engine, engines.endpoint(engine, settings)) for engine in started),
    )


def mark_steps(settings: Settings, _: Facts) -> tuple[Step, ...]:
    """Return the step that marks the store. It needs CKAN's tables, and nothing that serves needs the mark."""
    used = endpoints.of(settings)
    return (StoreMark(used.object_store, used.database),)


def switch_off_steps(settings: Settings, _: Facts) -> tuple[Step, ...]:
    """Return the steps that stop the local engines whose service is external: last, when nobody asks them any more."""
    external = ((engine, engines.endpoint(engine, settings)) for engine in engines.external(settings))
    return tuple(step for engine, endpoint in external for step in engine.switch_off(endpoint))


def _started_here(settings: Settings) -> tuple[Engine, ...]:
    return tuple(engine for engine in engines.local(settings) if engine.started_by_us)


def _set_up_or_connect(engine: Engine, settings: Settings) -> tuple[Step, ...]:
    if engines.is_local(engine, settings):
        return engine.set_up(settings)
    return engine.connect(engines.endpoint(engine, settings))


def _packages() -> tuple[str, ...]:
    return tuple(pattern for engine in engines.ENGINES for pattern in engine.packages)
