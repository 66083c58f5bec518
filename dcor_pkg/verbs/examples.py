"""An example of each verb, and of each action, which its --help ends with."""

from __future__ import annotations

#: by what follows `dcor-server`, what an administrator would type
EXAMPLES = {
    "status": "status --watch",
    "check": "check --explain upload_space",
    "converge": "converge --dry-run",
    "get": "get hostname",
    "set": "set site-title='Cells of Erlangen' mail-relay=smtp.example.org:587",
    "certificate": "certificate import /root/chain.pem /root/key.pem",
    "certificate show": "certificate show --json",
    "certificate renew": "certificate renew --new-key",
    "certificate import": "certificate import /root/chain.pem /root/key.pem",
    "move-data": "move-data /srv/measurements",
    "make-release": "make-release --json",
    "release": "release list",
    "release list": "release list --json",
    "release rollback": "release rollback --with-database",
    "upgrade-database-cluster": "upgrade-database-cluster --remove-old",
    "user": "user create ada --email ada@example.org --sysadmin",
    "user create": "user create ada --email ada@example.org --full-name 'Ada Lovelace'",
    "user list": "user list --json",
    "user disable": "user disable ada",
    "user enable": "user enable ada",
    "user reset-link": "user reset-link ada",
    "user sysadmin": "user sysadmin ada on",
    "circle": "circle create blood-lab --admin ada",
    "circle create": "circle create blood-lab --admin ada",
    "circle add": "circle add blood-lab grace --role editor",
    "token": "token create ada --days 90",
    "token create": "token create ada --days 90 --output /root/ada.dcor-access",
    "token list": "token list --outdated",
    "token revoke": "token revoke 2f6a1c9b",
    "token reissue": "token reissue --output /root/tokens",
    "withdraw": "withdraw blood-of-tuesday --dry-run",
    "unknown-objects": "unknown-objects --days 30",
    "jobs": "jobs retry all",
    "jobs list": "jobs list --json",
    "jobs show": "jobs show 0b3d9c52-5a0c-4b0e-9d7c-3f2f0c0f6a11",
    "jobs retry": "jobs retry all",
    "jobs forget": "jobs forget 0b3d9c52-5a0c-4b0e-9d7c-3f2f0c0f6a11",
    "nightly": "nightly --days 30",
    "watch": "watch --json",
    "test-instance": "test-instance run ckanext-dc_view",
    "test-instance create": "test-instance create",
    "test-instance run": "test-instance run ckanext-dc_view -- -k preview",
    "test-instance remove": "test-instance remove",
    "mail-test": "mail-test ada@example.org",
    "report-failure": "report-failure dcor-nightly.service",
    "report-updates": "report-updates --json",
    "report-health": "report-health --json",
}


def ending(program: str) -> str | None:
    """Return what the help of a parser ends with, by the whole name of its command; None where there is no example."""
    example = EXAMPLES.get(program.partition(" ")[2])
    return None if example is None else f"example: sudo dcor-server {example}"
