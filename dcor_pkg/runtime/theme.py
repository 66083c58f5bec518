"""Write DCOR's theme into a release: `python -m dcor_runtime.theme`.

This does what `ckan dcor-theme-i18n-branding`, `dcor-theme-main-css-branding` and `dcor-patch-ckan-templates` do, in
one process and without loading CKAN: all three only read and write files of the virtual environment. Upstream's
theme renames in English only; German follows.
"""

from __future__ import annotations

from pathlib import Path

import ckan
from ckanext.dcor_theme.cli.i18n_branding import dcor_theme_i18n_branding
from ckanext.dcor_theme.cli.patch_ckan_templates import patch_wider_resource_listing
from ckanext.dcor_theme.css import make_dcor_main_css
from dcor_runtime import german

if __name__ == "__main__":
    dcor_theme_i18n_branding.callback()
    make_dcor_main_css.main()
    patch_wider_resource_listing()
    german.merge(Path(ckan.__file__).parent.parent)
