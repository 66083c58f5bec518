"""Storms of slow requests: sixteen clients at once, each kind as a script that goes on until /run/calm exists.

The clients' address is not that of the server's other clients (127.0.0.1), because nginx counts by address.
"""

from __future__ import annotations

from collections import Counter

from dcor_dev.machine import Machine
from users import User, run_client
from website import CURL, SITE

CLIENTS = 16
#: the status of each answer to one of the clients
ANSWERS = "/run/storm.answers"
#: lines of a log with which upstream's code takes minutes for each query
LINES = 100_000
#: A mail server that greets; as soon as /run/relay.silent exists it accepts connections and says nothing.
RELAY = """
import asyncio, pathlib

async def serve(reader, writer):
    if pathlib.Path("/run/relay.silent").exists():
        await asyncio.sleep(3600)
    writer.write(b"220 relay\\r\\n")
    while line := await reader.readline():
        writer.write(b"221 bye\\r\\n" if line.upper().startswith(b"QUIT") else b"250 ok\\r\\n")

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 2526)
    async with server: await server.serve_forever()

asyncio.run(main())
"""


def use_silent_relay(server: Machine) -> None:
    """Give the server a mail relay that then stops to answer."""
    server.write("/srv/relay.py", RELAY)
    server.shell("systemd-run --quiet --unit=silent-relay python3 /srv/relay.py")
    server.shell("until ss -Hltn | grep --quiet ':2526 '; do sleep 0.1; done", timeout=60)
    server.run("dcor-server", "set", "mail-relay=localhost:2526")
    server.shell("touch /run/relay.silent")


def kinds(server: Machine, someone: User) -> dict[str, str]:
    """Return the request of each kind as a shell command; a measurement with a long log is uploaded for the first."""
    resource = run_client(server, "long_log", "--token", someone.token, "--lines", str(LINES))["id"]
    curl = f"{CURL} --interface 127.0.0.3 --output /dev/null --write-out '%{{http_code}}\\n'"
    jar = "/run/storm.$client.jar"
    csrf = (
        f"token=$({CURL} --interface 127.0.0.3 --cookie-jar {jar} {SITE}/user/reset"
        ' | sed -n \'s/.*name="_csrf_token" content="\\([^"]*\\).*/\\1/p\')'
    )
    return {
        "query of a long log": f"{curl} '{SITE}/api/3/action/dcserv?id={resource}&query=metadata'",
        "reset of a password, silent mail relay": f"{csrf}; {curl} --cookie {jar} --referer {SITE}/user/reset"
        f' --data-urlencode "_csrf_token=$token" --data user={someone.name} {SITE}/user/reset',
        "body of 19 MB that drips": f"head --bytes 19M /dev/zero | {curl} --limit-rate 1k --max-time 15"
        f" --data-binary @- {SITE}/user/reset",
    }


def during(request: str, script: str) -> str:
    """Return a script that runs another one, during which all clients send a request again and again."""
    client = f"(while [ ! -e /run/calm ]; do {request} || sleep 0.1; done) >>{ANSWERS} &"
    clients = f"for client in $(seq {CLIENTS}); do {client} done"
    return f"rm -f /run/calm {ANSWERS}; {clients}\n{script}\ntouch /run/calm; wait"


def answers(server: Machine) -> Counter[str]:
    """Return how often each status was an answer to the clients; 000 where there was none, as when the client ended."""
    return Counter(server.path(ANSWERS).read_text().split())
