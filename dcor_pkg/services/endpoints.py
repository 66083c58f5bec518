"""The endpoints of all services, by name: for templates and for the steps of CKAN."""

from __future__ import annotations

from dataclasses import dataclass

from dcor_pkg.answers.settings import Settings
from dcor_pkg.services import engines
from dcor_pkg.services.endpoint import Endpoint


@dataclass(frozen=True)
class Services:
    """One endpoint for each row of ENGINES."""

    database: Endpoint
    redis: Endpoint
    solr: Endpoint
    object_store: Endpoint


def of(settings: Settings) -> Services:
    """Return where everything is, by the settings."""
    return Services(**{engine.key.replace("-", "_"): engines.endpoint(engine, settings) for engine in engines.ENGINES})
