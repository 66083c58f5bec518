"""Neither a local user nor the user of an engine reaches what is root's, CKAN's or another engine's."""

from __future__ import annotations

import re

from attempts import ATTEMPTS, outcomes
from dcor_dev.machine import Machine


def test_what_others_attempt_is_refused(server: Machine) -> None:
    seen = outcomes(server, ATTEMPTS)
    assert len(seen) == len(set(ATTEMPTS)) >= 60
    not_refused = {
        attempt.label: result
        for attempt, result in seen.items()
        if result[0] == 0 or not re.search(attempt.refusal, result[1])
    }
    import json, pathlib; pathlib.Path("/tmp/notref.json").write_text(json.dumps(not_refused, indent=1))
    assert not_refused == {}
