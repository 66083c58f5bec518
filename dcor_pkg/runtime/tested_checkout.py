"""Let each Python of a test instance import from a checkout, before what the release has of the same names.

A .pth file makes it import this when it starts (dcor-server, test_instance/checkout.py). CKAN's .pth file has made the
package ckanext before; that of a checkout would take its place.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

#: in the virtual environment: the directories from which the modules of the checkout are imported
LIST = "checkout.json"

# What is in a checkout is the developer's, and CKAN's user runs it. Root does not.
if os.geteuid() != 0:
    import ckanext

    roots = json.loads(Path(sys.prefix, LIST).read_text(encoding="utf-8"))
    ckanext.__path__ = [*(f"{root}/ckanext" for root in roots), *ckanext.__path__]
    sys.path[:0] = roots
