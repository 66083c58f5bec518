"""The timers of dcor-server itself, without which nothing is repaired, renewed or cleaned up."""

from __future__ import annotations

from dcor_pkg.kernel.systemd_service import Service

#: systemd's units; the package brings them (debian/dcor-server.*.timer)
TIMERS = (
    "dcor-converge.timer",
    "dcor-metrics.timer",
    "dcor-nightly.timer",
    "dcor-retry.timer",
    "dcor-watch.timer",
)


def steps() -> tuple[Service, ...]:
    """Return the steps that let each timer run."""
    return tuple(map(Service, TIMERS))
