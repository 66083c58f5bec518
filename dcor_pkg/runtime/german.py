"""Write the words of this package into CKAN's German catalogue: circles and collections instead of its own words."""

from __future__ import annotations

from pathlib import Path

import polib

OWN = Path(__file__).with_name("i18n") / "de.po"


def merge(site: Path) -> None:
    """Replace and add the messages of OWN, in the text and in the compiled form of the catalogue in site-packages.

    CKAN reads the compiled form for pages, and the text for what scripts show (ckan/lib/i18n.py).
    """
    file = site / "ckan/i18n/de/LC_MESSAGES/ckan.po"
    catalogue = polib.pofile(str(file))
    for entry in polib.pofile(str(OWN)):
        former = catalogue.find(entry.msgid, msgctxt=entry.msgctxt)
        if former is None:
            catalogue.append(entry)
        else:
            former.msgstr, former.msgstr_plural = entry.msgstr, entry.msgstr_plural
    catalogue.save(str(file))
    catalogue.save_as_mofile(str(file.with_suffix(".mo")))
