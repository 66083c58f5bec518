"""Look for each secret of a machine in all that somebody can read there."""

from __future__ import annotations

from dcor_dev.machine import Machine

#: All secrets, one a line: what lies in the directory as it is, and the private lines of keys.
GATHER = """
cd /etc/dcor-server/secrets
for file in *; do
    case $file in
        *.pem) sed -n '/PRIVATE KEY/!p' "$file" ;;
        pgpass) cut -d: -f5- "$file" ;;
        external-*) cat "$file"; python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(input(), ""))' <"$file" ;;
        *.conf) grep -o 'Bearer [^"]*' "$file" | cut -d' ' -f2 ;;
        *) cat "$file" ;;
    esac
done >/run/all-secrets
chmod 600 /run/all-secrets
"""
#: The pattern comes by a pipe, for nobody but root may read it. /proc has the command lines of all, and what is open.
SEARCH = """
runuser -u {user} -- grep --recursive --fixed-strings --files-with-matches --no-messages --devices=skip \
    --binary-files=without-match --exclude-dir=sys --exclude-dir=task -f - {places} </run/all-secrets |
    sed 's#^/proc/[0-9]*/#/proc/PID/#' | sort --unique || [ "${{PIPESTATUS[0]}}" -le 2 ]
"""


def files_with_secrets(machine: Machine, user: str, places: str = "/") -> set[str]:
    """Return the files below `places` in which that user can read a secret."""
    machine.shell(GATHER)
    assert int(machine.shell("wc -l </run/all-secrets")) > 10
    machine.run("chmod", "600", "/run/all-secrets")
    seen = set(machine.shell(SEARCH.format(user=user, places=places), timeout=900).split())
    machine.run("rm", "/run/all-secrets")
    return seen
