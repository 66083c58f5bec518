"""Search the files of a machine that a user can read for each of its secrets."""

from __future__ import annotations

from dcor_dev.machine import Machine

#: Collect all secrets, one per line: the content of the files in the directory, and the lines between PEM headers.
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
#: grep reads the patterns from standard input, since only root may read the file. /proc has all command lines, and the
#: open files.
SEARCH = """
runuser -u {user} -- grep --recursive --fixed-strings --files-with-matches --no-messages --devices=skip \
    --binary-files=without-match --exclude-dir=sys --exclude-dir=task -f - {places} </run/all-secrets |
    sed 's#^/proc/[0-9]*/#/proc/PID/#' | sort --unique || [ "${{PIPESTATUS[0]}}" -le 2 ]
"""


def files_with_secrets(machine: Machine, user: str, places: str = "/") -> set[str]:
    """Return the files below `places` in which `user` can read a secret."""
    machine.shell(GATHER)
    assert int(machine.shell("wc -l </run/all-secrets")) > 10
    machine.run("chmod", "600", "/run/all-secrets")
    seen = set(machine.shell(SEARCH.format(user=user, places=places), timeout=900).split())
    machine.run("rm", "/run/all-secrets")
    return seen
