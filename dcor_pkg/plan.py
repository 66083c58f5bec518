"""The plan: everything that the package does to a machine, in order. It neither looks at the machine nor changes it."""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.ckan import steps as ckan
from dcor_pkg.kernel import timers, updates, ways
from dcor_pkg.kernel.data_directory import DataDirectory
from dcor_pkg.kernel.preserved import PreservedSettings
from dcor_pkg.kernel.state_files import StateFiles
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.facts import Facts
from dcor_pkg.nginx import steps as nginx
from dcor_pkg.services import steps as services
from dcor_pkg.tls import steps as tls


def build_plan(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that make a machine as the settings say. What a step needs is made by those before it."""
    return (
        # Nothing below them is written, or read by others, before they are as they should be.
        *ways.steps(),
        StateFiles(),
        # What a purge has preserved comes back before anything is made that would take its place.
        PreservedSettings(),
        DataDirectory(settings.data),
        # What is made from here on can be removed again, also after a power cut.
        removal_plan(settings),
        *ckan.prepare_steps(settings, facts),
        # Engines start while the release is made.
        *services.steps(settings, facts),
        # What was cut off ends before anything that can fail: until then everybody gets 503.
        *ckan.recovery_steps(settings),
        *tls.steps(settings, facts),
        *ckan.release_steps(settings, facts),
        *services.running_steps(settings, facts),
        *ckan.activation_steps(settings, facts),
        *nginx.steps(settings, facts),
        *timers.steps(),
        *updates.steps(settings),
        *services.mark_steps(settings, facts),
        # It may take hours, in which everything else has to serve already.
        *ckan.index_steps(settings, facts),
        # Nobody asks local engines any more whose service is external.
        *services.switch_off_steps(settings, facts),
    )


def removal_plan(settings: Settings) -> Step:
    """Return the step that writes down what a purge may delete."""
    return services.removal_plan(settings, ckan.removal_lines(settings))
