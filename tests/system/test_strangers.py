"""Strangers at an installed server: what they get, and that everybody else goes on being served meanwhile.

They come from addresses of their own (127.0.0.2 ...), because nginx counts by address.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
import storms
from dcor_dev.machine import Machine
from users import make_user
from website import CURL, SITE

STATUS = "--output /dev/null --write-out '%{http_code}\\n'"
UPLOAD = "/api/3/action/resource_upload_s3_urls?organization_id=8b3a1f26-33c2-4d4f-9c6b-52d5b0d5a1b7&file_size=1"
ABSURD = "9" * 20

#: Print the status of a page and of a search, which are asked 10 times a second for 5 seconds, as a guest and as
#: somebody with a cookie, so that nginx's cache does not answer.
PROBE = f"""
for number in $(seq 50); do
    for page in /user/login '/api/3/action/package_search?rows=1'; do
        {CURL} --interface 127.0.0.9 --output /dev/null --write-out '%{{http_code}}\\n' {SITE}$page
    done
    sleep 0.1
done
"""


def statuses(server: Machine, script: str) -> Counter[str]:
    """Return how often a script has printed each line."""
    return Counter(server.shell(script).split())


def assert_others_are_served(statuses: str) -> None:
    """Assert that no probe has failed."""
    assert set(statuses.split()) == {"200"}


def test_nobody_gets_an_address_to_upload_to_without_a_login(server: Machine) -> None:
    for method in ("GET", "POST"):
        answer = json.loads(server.shell(f"{CURL} --request {method} '{SITE}{UPLOAD}'"))
        assert answer["error"]["__type"] == "Authorization Error"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"/dataset/?page={ABSURD}", "400"),
        (f"/feeds/dataset.atom?page={ABSURD}", "400"),
        ("/group/?q=%00", "400"),
        ("/organization/?q=%00", "400"),
        ("/feeds/custom.atom?q=%00", "400"),
        ("/api/3/action/package_show?id=%00", "400"),
        ("/user/reset/x?key=y", "404"),
    ],
)
def test_what_ckan_cannot_process_is_not_its_error(server: Machine, target: str, status: str) -> None:
    assert server.shell(f"{CURL} {STATUS} '{SITE}{target}'").strip() == status


def test_an_upload_without_arguments_is_a_conflict(server: Machine) -> None:
    someone = make_user(server, "uploader")
    token = f'--header "Authorization: $(cat {someone.token})"'
    assert server.shell(f"{CURL} {STATUS} {token} {SITE}{UPLOAD.partition('?')[0]}").strip() == "409"


def test_many_passwords_from_one_address_are_slowed(server: Machine) -> None:
    tried = f"for number in $(seq 40); do {CURL} --interface 127.0.0.2 {STATUS} --data login=a {SITE}/user/login; done"
    assert statuses(server, tried)["429"] >= 10
    assert server.shell(f"{CURL} {STATUS} {SITE}/user/login").strip() == "200"


def test_many_requests_for_measurements_leave_room_for_others(server: Machine) -> None:
    asked = f"{CURL} --interface 127.0.0.3 {STATUS} '{SITE}/api/3/action/dcserv?id=none&query=metadata'"
    assert_others_are_served(server.shell(storms.during(asked, PROBE), timeout=120))
    answered = storms.answers(server)
    assert answered.keys() <= {"404", "429", "503"}
    assert answered["429"] > 0


def test_bodies_that_drip_leave_room_for_others(server: Machine) -> None:
    drip = f"{CURL} --interface 127.0.0.4 --limit-rate 1k --max-time 15 --data-binary @/run/body --output /dev/null"
    storm = f"for number in $(seq 16); do {drip} {SITE}/user/reset & done"
    lines = server.shell(f"head --bytes 19M /dev/zero >/run/body; {storm}\n{PROBE}\nwait; rm /run/body", timeout=120)
    assert_others_are_served(lines)


def test_a_browser_gets_a_page_in_two_languages(server: Machine) -> None:
    page = server.shell(f"{CURL} --header 'Accept: text/html' {SITE}/none")
    assert ("There is no such page" in page, "Diese Seite gibt es nicht" in page) == (True, True)


def test_the_version_of_nginx_is_not_published(server: Machine) -> None:
    """Not even to a request that names no host."""
    script = "exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.1\\r\\n\\r\\n' >&3; timeout 5 cat <&3"
    answer = server.shell(script)
    assert answer.startswith("HTTP/1.1 400")
    assert "nginx/" not in answer
