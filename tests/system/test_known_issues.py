"""The faults of upstream's code that are cured, as users and visitors of a server would meet them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from dcor_dev.machine import Machine
from users import User, make_user, run_client
from website import CURL, SITE

LINES = 100_000
#: the longest time for a query; nginx waits for 60 s
TIMEOUT_SECONDS = 15
HUGE = "9" * 20
#: what a visitor gets who asks for it
ANSWERS = {
    **dict.fromkeys(
        [f"/{page}?page={HUGE}" for page in ("dataset", "organization", "group", "feeds/dataset.atom")], "400"
    ),
    f"/feeds/custom.atom?page={HUGE}": "400",
    "/organization/?q=%00": "400",
    "/group/?q=%00": "400",
    "/api/3/action/package_show?id=%00": "400",
    f"/api/3/action/organization_list?offset={HUGE}": "400",
    "/api/3/action/package_show?id=a&id=b": "400",
    "/api/3/action/resource_upload_s3_urls": "403",
    "/api/3/action/resource_upload_s3_urls?organization_id=x&file_size=1": "403",
    "/user/reset/x?key=y": "404",
    # a character that no XML can contain
    "/feeds/custom.atom?q=%01": "200",
}
#: what the API answers to JSON with values that the database cannot take
BODIES = {
    '{"id": "\\u0000"}': "400",
    '{"id": "\\ud800"}': "400",
    '{"id": 1}': "400",
    '{"id": ["a"]}': "400",
    '{"id": {"a": 1}}': "400",
    '{"id": ' + 20_000 * "[" + 20_000 * "]" + "}": "400",
}
SENT = "A reset link has been emailed to you"
#: more than Solr takes joined by OR
MANY = 2000
SHARE = """
insert into "group" (id, name, title, type, approval_status, state, is_organization, created)
select 'many-' || i, 'many-' || i, 'many', 'group', 'approved', 'active', false, now() from generate_series(1, {many}) i;
insert into member (id, group_id, table_id, table_name, capacity, state)
select 'many-' || i, 'many-' || i, (select id from "user" where name = '{name}'), 'user', 'member', 'active'
from generate_series(1, {many}) i;
"""
UNSHARE = """delete from member where id like 'many-%'; delete from "group" where id like 'many-%';"""


@dataclass(frozen=True)
class Reply:
    """What the API answered."""

    status: str
    text: str

    @property
    def result(self) -> Any:
        assert self.status == "200", self.text
        return json.loads(self.text)["result"]


@pytest.fixture(scope="module")
def member(server: Machine) -> User:
    return make_user(server, "member")


@pytest.fixture(scope="module")
def circle(server: Machine, member: User) -> str:
    """Return the id of a circle of the member's."""
    name = f"circle-{secrets.token_hex(4)}"
    return str(api(server, "organization_create", member, name=name).result["id"])


def api(server: Machine, action: str, who: User, **values: object) -> Reply:
    """Ask the API as a user."""
    script = f"""{CURL} --header "Authorization: $(cat {who.token})" --header 'Content-Type: application/json' \
        --data-binary @- --write-out '\\n%{{http_code}}' {SITE}/api/3/action/{action}"""
    text, _, status = server.run("bash", "-c", script, text=json.dumps(values)).stdout.rpartition("\n")
    return Reply(status, text)


def dataset(server: Machine, who: User, circle: str, **values: object) -> Reply:
    shape = {"title": "t", "authors": "a", "license_id": "CC0-1.0", "private": False, "state": "draft"}
    return api(server, "package_create", who, owner_org=circle, **{**shape, **values})


def code(server: Machine, path: str, options: str = "") -> str:
    return server.shell(f"{CURL} --output /dev/null --write-out '%{{http_code}}' {options} '{SITE}{path}'")


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path[:60])
def test_a_visitor_gets_no_internal_error(server: Machine, path: str) -> None:
    assert code(server, path) == ANSWERS[path]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:20])
def test_values_that_the_database_cannot_take_are_a_bad_request(server: Machine, body: str) -> None:
    server.write("/srv/body.json", body)
    options = "--header 'Content-Type: application/json' --data-binary @/srv/body.json"
    assert code(server, "/api/3/action/package_show", options) == BODIES[body]


def test_only_a_member_of_a_circle_gets_addresses_for_an_upload(server: Machine, member: User, circle: str) -> None:
    other = make_user(server, "other")
    values = {"organization_id": circle, "file_size": 1}
    assert code(server, f"/api/3/action/resource_upload_s3_urls?organization_id={circle}&file_size=1") == "403"
    assert api(server, "resource_upload_s3_urls", other, **values).status == "403"
    assert api(server, "resource_upload_s3_urls", member, organization_id="x", file_size=1).status == "403"
    assert api(server, "resource_upload_s3_urls", member).status == "403"
    assert api(server, "resource_upload_s3_urls", member, organization_id=circle, file_size="x").status == "409"
    assert len(api(server, "resource_upload_s3_urls", member, **values).result["upload_urls"]) == 1


def test_the_answer_to_an_admin_without_arguments_names_them(server: Machine) -> None:
    reply = api(server, "resource_upload_s3_urls", make_user(server, "admin", sysadmin=True))
    assert reply.status == "409"
    assert "organization_id" in reply.text


def request_reset(server: Machine, name: str) -> tuple[str, bool]:
    """Ask for a new password; return the status, and whether the next page says that a link was sent."""
    jar = f"--cookie-jar /srv/{name}.jar --cookie /srv/{name}.jar"
    form = server.shell(f"{CURL} {jar} {SITE}/user/reset")
    token = form.partition('name="_csrf_token" content="')[2].partition('"')[0]
    status = code(
        server,
        "/user/reset",
        f"{jar} --referer {SITE}/user/reset --data-urlencode '_csrf_token={token}' --data 'user={name}'",
    )
    return status, SENT in server.shell(f"{CURL} {jar} {SITE}/")


def test_a_request_for_a_new_password_does_not_reveal_who_exists(server: Machine, member: User) -> None:
    """This server has no mail relay, which only the log of the jobs says."""
    assert request_reset(server, member.name) == ("302", True)
    assert request_reset(server, "nobody-has-this-name") == ("302", True)
    log = "/var/log/ckan/jobs.log"
    server.shell(f"until grep --quiet 'This server sends no mail' {log}; do sleep 0.1; done", timeout=60)
    assert server.run("grep", "--quiet", "user/reset/", log, check=False).returncode == 1
    assert code(server, f"/user/reset/{member.name}?key=y") == code(server, "/user/reset/x?key=y") == "404"


def test_a_resource_without_a_file_has_no_download(server: Machine, member: User, circle: str) -> None:
    package = dataset(server, member, circle).result["id"]
    resource = api(server, "resource_create", member, package_id=package, name="never.rtdc").result["id"]
    token = f'--header "Authorization: $(cat {member.token})"'
    page = f"/dataset/{package}/resource/{resource}/download"
    assert code(server, page, token) == "404"
    assert code(server, f"{page}/never.rtdc", token) == "404"


@pytest.mark.parametrize("field", ["title", "authors", "doi", "references"])
def test_a_text_that_the_index_cannot_take_is_invalid(server: Machine, member: User, circle: str, field: str) -> None:
    reply = dataset(server, member, circle, **{field: "a" * 40_000})
    assert reply.status == "409"
    assert json.loads(reply.text)["error"][field] == ["At most 30000 bytes (in UTF-8) are possible, this has 40000"]


@pytest.fixture
def collector(server: Machine) -> Iterator[User]:
    """Return a user who is a member of very many collections."""
    someone = make_user(server, "collector")
    psql = ("psql", "--quiet", "--set=ON_ERROR_STOP=1", "ckan_default")
    server.run(*psql, user="postgres", text=SHARE.format(many=MANY, name=someone.name))
    yield someone
    server.run(*psql, user="postgres", text=UNSHARE)


def test_a_member_of_very_many_collections_can_search(server: Machine, collector: User) -> None:
    assert api(server, "package_search", collector, include_private=True).status == "200"


def test_a_long_log_is_read_at_once_and_only_if_it_is_asked_for(server: Machine, member: User) -> None:
    resource = run_client(server, "long_log", "--token", member.token, "--lines", str(LINES))["id"]
    for query in ("metadata", "size", "tables", "trace_list", "logs"):
        address = f"{SITE}/api/3/action/dcserv?id={resource}&query={query}"
        reply = json.loads(server.shell(f"{CURL} --max-time {TIMEOUT_SECONDS} '{address}'"))
        assert reply["success"] is True, reply
    assert len(reply["result"]["long"]) == LINES
