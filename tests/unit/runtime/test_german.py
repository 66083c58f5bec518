"""German pages call circles and collections by one name each, as English ones do."""

from __future__ import annotations

import re
import string
import sys
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dcor_pkg.ckan import release_build
from tests.unit.ckan import upstream

CKAN = "ckan/i18n/de/LC_MESSAGES/ckan"
BRANDING = "ckanext/dcor_theme/cli/i18n_branding.py"
WANTED = ("ckan/i18n/ckan.pot", "ckan/i18n/de/", "ckanext/dcor_theme/", "polib.py")
#: the beginnings of texts in which these are not words for a part of the site
ABOUT_CKAN = ("<p>CKAN is the world",)


@pytest.fixture(scope="module", params=upstream.SUITES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return site-packages with the pinned catalogues and theme, and with what reads them; German is merged."""
    wheels, site = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    upstream.fetch(request.param, ("ckan", "polib", "ckanext-dcor_theme"), wheels)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site, [name for name in archive.namelist() if name.startswith(WANTED)])
    sys.path.insert(0, str(site))
    try:
        german().merge(site)
        yield site
    finally:
        sys.path.remove(str(site))


def german() -> ModuleType:
    """Return the module, which needs a package of a release."""
    return import_module("dcor_pkg.runtime.german")


def entries(file: Path) -> dict[str, Any]:
    """Return the entries of a catalogue by their msgids."""
    polib = import_module("polib")
    found = polib.mofile if file.suffix == ".mo" else polib.pofile
    return {entry.msgid: entry for entry in found(str(file))}


def texts(entry: Any) -> list[str]:
    """Return all forms of a translation."""
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def renamed(site: Path) -> dict[str, Any]:
    """Return the entries of CKAN whose English the theme changes."""
    source = (site / BRANDING).read_text(encoding="utf-8")
    definitions = source[source.index("branding = OrderedDict()") : source.index("@click.command()")]
    theme: dict[str, Any] = {"OrderedDict": dict}
    exec(definitions, theme)
    found = entries(site / "ckan/i18n/ckan.pot")
    return {msgid: entry for msgid, entry in found.items() if theme["replace_branding"](msgid) != msgid}


def test_what_is_renamed_in_english_has_no_former_word_in_german(site: Path) -> None:
    own = entries(german().OWN)
    assert len(renamed(site)) > 100
    assert [msgid for msgid in renamed(site) if msgid not in own and not msgid.startswith(ABOUT_CKAN)] == []


@pytest.mark.parametrize("form", ["po", "mo"])
def test_no_page_in_german_has_a_former_word(site: Path, form: str) -> None:
    found = entries(site / f"{CKAN}.{form}")
    left = [
        msgid
        for msgid, entry in found.items()
        if any(re.search("organisation|gruppe", text, re.IGNORECASE) for text in texts(entry))
    ]
    assert [msgid for msgid in left if not msgid.startswith(ABOUT_CKAN)] == []
    assert found["Organizations"].msgstr == "Kreise"
    assert found["{number} group found"].msgstr_plural[1] == "{number} Sammlungen gefunden"
    assert found["Imprint"].msgstr == "Impressum"
    assert found["Datasets"].msgstr == "Datensätze"


def test_each_message_is_one_of_ckan_of_the_theme_or_of_a_template_here(site: Path) -> None:
    templates = [
        *site.glob("ckanext/dcor_theme/templates/**/*.html"),
        *release_build.RUNTIME.glob("templates/**/*.html"),
    ]
    used = " ".join(" ".join(file.read_text(encoding="utf-8").split()) for file in templates)
    known = entries(site / "ckan/i18n/ckan.pot")
    unknown = [msgid for msgid in entries(german().OWN) if msgid not in known and msgid not in used]
    assert unknown == []


def test_each_text_of_a_template_here_is_translated(site: Path) -> None:
    translated = entries(site / f"{CKAN}.mo")
    for file in release_build.RUNTIME.glob("templates/**/*.html"):
        for msgid in re.findall(r'_\("([^"]+)"\)', file.read_text(encoding="utf-8")):
            assert translated[msgid].msgstr, f"{file.name}: {msgid}"


def test_a_translation_has_the_placeholders_of_its_message(site: Path) -> None:
    for msgid, entry in entries(german().OWN).items():
        for text in texts(entry):
            assert sorted(placeholders(text)) == sorted(placeholders(msgid)), msgid
            assert re.findall("<[^>]*>", text) == re.findall("<[^>]*>", msgid), msgid


def placeholders(text: str) -> set[str]:
    """Return what Python puts in, in either of its ways."""
    names = {name for _, name, _, _ in string.Formatter().parse(text.replace('"', "")) if name is not None}
    return names | set(re.findall(r"%(?:\(\w+\))?s", text))


def test_articles_agree_with_their_nouns() -> None:
    text = (release_build.RUNTIME / "i18n/de.po").read_text(encoding="utf-8")
    feminine = "[Ee]ine|[Dd]iese|[Kk]eine|[Mm]eine|[Dd]ie"
    others = r"[Ee]inen|[Dd]ies\w+[nms]|[Mm]ein|[Dd]e[nms]|[Dd]as"
    assert re.findall(rf"\b(?:{feminine}) (?:neue )?Kreis\b|\b(?:{others}) Sammlung\b", text) == []
    assert len(re.findall(r"\b(?:[Ee]inen|[Dd]iesem|[Dd]en) (?:neuen |anderen )?Kreis\b", text)) > 5
