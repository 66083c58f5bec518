"""nginx passes on to CKAN the addresses that CKAN serves, with the methods that CKAN accepts there."""

from __future__ import annotations

import pytest

from tests.unit.nginx.nginx_server import DATASET, RESOURCE, NginxServer

#: addresses that CKAN 2.11 and DCOR's extensions serve, from their tables of routes
READ = [
    "/",
    "/de",
    "/en_US/",
    "/zh_Hans_CN/dataset/",
    "/about",
    "/contact",
    "/imprint",
    "/privacy",
    "/stats",
    "/dataset",
    "/dataset/",
    "/dataset/?q=blood&page=2",
    "/dataset/a-name",
    f"/dataset/{DATASET}",
    f"/dataset/resources/{DATASET}",
    f"/dataset/edit/{DATASET}",
    f"/dataset/groups/{DATASET}",
    f"/dataset/collaborators/{DATASET}",
    f"/dataset/{DATASET}/resource/{RESOURCE}",
    f"/dataset/{DATASET}/resource/{RESOURCE}/",
    f"/dataset/{DATASET}/resource/{RESOURCE}/view/{RESOURCE}",
    f"/dataset/{DATASET}/resource/{RESOURCE}/download/calibration_beads.rtdc",
    f"/dataset/{DATASET}/resource/{RESOURCE}/condensed.rtdc",
    f"/dataset/{DATASET}/resource/{RESOURCE}/preview.jpg",
    "/group/",
    "/group/a-collection",
    "/group/about/a-collection",
    "/organization",
    "/organization/a-circle?q=x",
    "/organization/members/a-circle",
    "/user/",
    "/user/login?came_from=/dataset/",
    "/user/me",
    "/user/somebody",
    "/user/somebody/api-tokens",
    f"/user/reset/{DATASET}?key=0123456789",
    "/user/logged_out_redirect",
    "/dashboard/datasets",
    "/ckan-admin/config",
    "/feeds/dataset.atom",
    "/feeds/tag/blood.atom",
    "/api",
    "/api/3",
    "/api/3/action/status_show",
    f"/api/3/action/dcserv?id={RESOURCE}&query=metadata",
    "/api/action/package_search?rows=1",
    "/api/2/util/dataset/autocomplete?incomplete=a",
    "/api/util/snippet/api_info.html",
    "/api/i18n/en_US",
    "/base/images/ckan.ico",
    "/base/images/loading-spinner.gif",
    "/fonts/lato.woff2",
    "/images/dcor-076.png",
    "/webassets/base/6fddaa3f_main.js",
    "/webassets/vendor/d05bf0e7_vendor.js.map",
    "/uploads/group/2026-11-23-201500.5-logo.png",
    "/favicon.svg",
]
WRITTEN = [
    "/api/3/action/package_revise",
    "/api/3/action/resource_create_view",
    "/api/action/package_search",
    "/dataset/new",
    f"/dataset/edit/{DATASET}",
    f"/dataset/delete/{DATASET}",
    f"/dataset/groups/{DATASET}",
    f"/dataset/collaborators/{DATASET}/new",
    f"/dataset/collaborators/{DATASET}/delete/somebody",
    f"/dataset/{DATASET}/resource/new",
    f"/dataset/{DATASET}/resource/{RESOURCE}/edit",
    f"/dataset/{DATASET}/resource/{RESOURCE}/edit_view/{RESOURCE}",
    "/group/new",
    "/group/edit/a-collection",
    "/de/organization/member_new/a-circle",
    "/organization/bulk_process/a-circle",
    "/user/login",
    "/user/_logout",
    "/user/reset",
    f"/user/reset/{DATASET}",
    "/user/edit/somebody",
    "/user/somebody/api-tokens",
    "/user/somebody/api-tokens/Zm9v/revoke",
    "/user/follow/somebody",
    "/ckan-admin/config",
    "/ckan-admin/trash",
    "/util/redirect",
]


@pytest.mark.parametrize("target", READ)
def test_addresses_of_ckan_can_be_read(server: NginxServer, target: str) -> None:
    assert server.ask(target, headers={"Cookie": "dcor=session"}).status == 200
    assert server.ckan.only["REQUEST_URI"] == target


@pytest.mark.parametrize("target", WRITTEN)
def test_forms_and_api_calls_accept_post(server: NginxServer, target: str) -> None:
    answer = server.ask(target, "POST", {"Cookie": "dcor=session", "Content-Type": "application/json"}, b'{"a": 1}')
    assert answer.status == 200
    assert (server.ckan.only["REQUEST_URI"], server.ckan.only["body"]) == (target, '{"a": 1}')
    assert server.ckan.only["HTTP_COOKIE"] == "dcor=session"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/"),
        ("POST", "/about"),
        ("POST", f"/dataset/{DATASET}"),
        ("POST", "/base/main.js"),
        ("POST", f"/dataset/{DATASET}/resource/{RESOURCE}/download/a.rtdc"),
        ("POST", "/user/somebody"),
        ("POST", "/api/2/util/user/autocomplete"),
        ("PUT", "/api/3/action/package_create"),
        ("DELETE", f"/dataset/{DATASET}"),
        ("OPTIONS", "/"),
        ("TRACE", "/"),
        ("PATCH", "/user/login"),
    ],
)
def test_other_methods_do_not_reach_ckan(server: NginxServer, method: str, target: str) -> None:
    assert server.ask(target, method).status == 405
    assert server.ckan.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "/wp-login.php",
        "/.env",
        "/.git/config",
        "/index.html",
        "/backup.sql",
        "/dataset/dump.tar",
        "/user.action",
        "/userportal",
        "/user/register",
        "/de/user/register",
        "/user/reset/x?key=y",
        "/de/user/reset/somebody?key=y",
        f"/user/reset/{DATASET[1:]}",
        f"/user/reset/{DATASET}/x",
        "/datasets",
        "/testing/primer",
        "/api/3/action/",
        "/api/3/action/../../../etc/passwd",
        "/api/4/action/status_show",
        "/uploads/resources/secret",
        "/uploads/group/a/b",
        "/revision",
        "/.dcor/x",
    ],
)
def test_addresses_that_ckan_does_not_have_are_not_found(server: NginxServer, target: str) -> None:
    assert server.ask(target).status == 404
    assert server.ckan.seen == []


def test_a_bare_uuid_is_redirected_to_the_dataset(server: NginxServer) -> None:
    answer = server.ask(f"/{DATASET}")
    assert (answer.status, answer.headers["location"]) == (301, f"/dataset/{DATASET}")


def test_favicon_ico_is_the_themes_icon(server: NginxServer) -> None:
    assert server.ask("/favicon.ico").status == 200
    assert server.ckan.only["PATH_INFO"] == "/favicon.svg"
