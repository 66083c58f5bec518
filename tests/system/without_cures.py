"""Take the cures of a release back in a machine, and look at its pages: as users meet the faults, and without them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

from dcor_dev.machine import Machine
from migrations import sql
from users import PYTHON_OF_CKAN
from website import CURL, SITE

RELEASE = "/var/lib/dcor-server/current"
#: CKAN and what it needs, as upstream has them: the cures are in releases only
PACKAGED = "/usr/lib/ckan/default/lib/python3*/site-packages"
CONFIGURATION = {"CKAN_INI": "/etc/ckan/default/ckan.ini"}
#: unpacks a wheel of a release, which has none of the cures
UNPACK = "python3 -m zipfile -e /usr/share/dcor-wheels/{}-*.whl /srv/upstream"


def status(machine: Machine, path: str, *options: str) -> str:
    """Return the status of an answer of the site."""
    asked = (*CURL.split(), "--output", "/srv/answer", "--write-out", "%{http_code}", *options, f"{SITE}{path}")
    return machine.run(*asked).stdout


def page(machine: Machine, path: str) -> str:
    """Return a page as CKAN makes it now: guests get those of nginx's cache."""
    return machine.run(*CURL.split(), "--cookie", "dcor=x", f"{SITE}{path}").stdout


def python(machine: Machine, script: str, *arguments: str, path: str = "") -> str:
    """Run a script as CKAN's user, in the Python of the release; `path` has modules that come before those of it."""
    environment = {**CONFIGURATION, **({"PYTHONPATH": path} if path else {})}
    return machine.run(PYTHON_OF_CKAN, "-c", script, *arguments, user="www-data", env=environment).stdout


#: Upstream's files take the places of the cured ones; of the theme's words the directory remains, which CKAN needs.
TAKE_BACK = f"""
site=$(echo {RELEASE}/lib/python3*/site-packages) packaged=$(echo {PACKAGED})
{UNPACK.format("ckanext_dcor_schemas")}
put() {{ cp --remove-destination "$1/$2" "$site/$2"; rm -f "$site/$(dirname "$2")/__pycache__/$(basename "$2" .py)".*; }}
for it in ckan/lib/mailer.py ckan/logic/auth/update.py ckan/i18n/de/LC_MESSAGES/ckan.mo ckan/i18n/de/LC_MESSAGES/ckan.po; do
    put "$packaged" "$it"
done
put /srv/upstream ckanext/dcor_schemas/signals.py
rm "$site"/ckan/i18n/en_US/LC_MESSAGES/ckan.*
systemctl restart dcor-ckan.service
"""
#: The administrator wants a mail about each new user, and no relay answers. The setting of a relay would ask it.
NOTIFY = """
ckanext.dcor_schemas.notify_user_create = true
smtp.server = localhost:2599
smtp.mail_from = admin@example.org
email_to = admin@example.org
"""
#: the key of a link, as upstream makes it; it does not say when
KEY = 32 * "a"
KEY_OF_API = 32 * "b"
#: what upstream's `dcor inspect` finds to do for the theme
INSPECT = """
from dcor_control.inspect import config_ckan
print(config_ckan.check_dcor_theme_i18n_hack(True) + config_ckan.check_dcor_theme_main_css(True))
"""


def give_key(machine: Machine, name: str, key: str) -> None:
    """Let a user have asked for a link with this key, at some time."""
    sql(machine, f"UPDATE \"user\" SET reset_key = '{key}' WHERE name = '{name}'")


def age(machine: Machine, dataset: str) -> None:
    """Let a dataset have been changed five days ago."""
    sql(machine, f"UPDATE package SET metadata_modified = now() - interval '5 days' WHERE id = '{dataset}'")


def words(machine: Machine, path: str, *former: str) -> set[str]:
    """Return which of CKAN's own words for circles and collections a page has."""
    text = page(machine, path)
    return {word for word in former if word in text}


def register(machine: Machine) -> tuple[str, str]:
    """Register a user; return the status, and how many of that name there are then."""
    name, password = f"new-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    jar = ("--cookie-jar", "/srv/jar", "--cookie", "/srv/jar")
    machine.run("rm", "--force", "/srv/jar")
    form = machine.run(*CURL.split(), *jar, f"{SITE}/user/register").stdout
    token = form.partition('name="_csrf_token" content="')[2].partition('"')[0]
    values = {"name": name, "email": f"{name}@example.org", "password1": password, "password2": password, "save": ""}
    sent = [part for key, value in values.items() for part in ("--data-urlencode", f"{key}={value}")]
    options = (*jar, "--referer", f"{SITE}/user/register", "--data-urlencode", f"_csrf_token={token}", *sent)
    return status(machine, "/user/register", *options), sql(
        machine, f"SELECT count(*) FROM \"user\" WHERE name = '{name}'"
    )


def page_of_link(machine: Machine) -> str:
    """Return the status of the page of a link that was made at some time."""
    identity = sql(machine, f"SELECT id FROM \"user\" WHERE reset_key = '{KEY}'")
    return status(machine, f"/user/reset/{identity}?key={KEY}", "--cookie", "dcor=x")


def change_by_key(machine: Machine) -> tuple[str, str]:
    """Let a visitor change an account by the key of its link; return the status, and the address after that."""
    identity = sql(machine, f"SELECT id FROM \"user\" WHERE reset_key = '{KEY_OF_API}'")
    body = {
        "id": identity,
        "reset_key": KEY_OF_API,
        "password": "x" * 20,
        "email": f"{secrets.token_hex(4)}@example.net",
    }
    sent = ("--header", "Content-Type: application/json", "--data", json.dumps(body))
    code = status(machine, "/api/3/action/user_update", *sent)
    address = sql(machine, f"SELECT email FROM \"user\" WHERE id = '{identity}'")
    return code, "changed" if address == body["email"] else "as before"


Look = Callable[[Machine], object]
#: how each fault of a release is seen, with what is seen before and after
SEEN: dict[str, tuple[Look, object, object]] = {
    "reset_links_for_ever": (page_of_link, "200", "403"),
    "reset_key_in_api": (change_by_key, ("200", "changed"), ("403", "as before")),
    "mail_at_registration": (register, ("500", "0"), ("302", "1")),
    "former_words_in_german": (
        lambda machine: words(machine, "/de/dataset/", "Organisationen", "Gruppen"),
        {"Organisationen", "Gruppen"},
        set(),
    ),
    "theme_half_patched": (
        lambda machine: (words(machine, "/dataset/", "Organizations", "Groups"), python(machine, INSPECT).split()[-1]),
        ({"Organizations", "Groups"}, "0"),
        (set(), "0"),
    ),
}
