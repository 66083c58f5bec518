"""Settings that somebody proposes, as preflight checks see them before the first change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dcor_pkg.answers.secret import Secret
from dcor_pkg.answers.settings import Settings


@dataclass(frozen=True)
class Proposal:
    """The settings of now, those that are wanted, and the passwords of external services."""

    #: None in a first installation
    before: Settings | None
    wanted: Settings
    #: by their questions
    passwords: Mapping[str, Secret]
