"""DCOR's own inspection makes the logs of CKAN readable for every user of the machine."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="public_logs",
    symptom="Changing mode of '/var/log/ckan' to '0o755', from dcor inspect",
    cause="dcor inspect expects that all users can read the directory of CKAN's logs. What users have done is in them, "
    "and the tracebacks of errors with their data.",
    versions=Versions("dcor_control", since="0.7.5"),
    cost="Each user of the machine reads them, and each dcor inspect --assume-yes undoes what dcor-server has set.",
    detection='path="/var/log/ckan" with mode_dir=0o755 in dcor_control/cli/inspect.py',
    cure=ReplaceText(
        "dcor_control/cli/inspect.py",
        faulty="""\
        path="/var/log/ckan",
        user="www-data",
        group="adm",
        mode_dir=0o755,
""",
        fixed="""\
        path="/var/log/ckan",
        user="www-data",
        group="adm",
        mode_dir=0o750,
""",
    ),
    proof="tests/system/test_access.py: dcor inspect finds no changes to make, and other users cannot read the logs",
)
