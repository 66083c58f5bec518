"""Set up dclab and DCOR-Aid by an access token, then upload a measurement and read it, or read an earlier one.

Prints as JSON who the server says one is, and the ids for reading it again.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import dcor_client
import roundtrip
from dclab.rtdc_dataset.fmt_dcor import access_token
from dcor_client import Server


def main() -> None:
    """Open the file as each program does; all of them have to find the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("--certificate", type=Path, required=True, help="for what does not use that of the file")
    parser.add_argument("--file", required=True)
    parser.add_argument("--password", type=Path, required=True, help="a file with the password")
    parser.add_argument("--read", nargs=2, metavar=("DATASET", "RESOURCE"))
    parser.add_argument("--wheels", type=Path, default=Path("/usr/share/dcor-wheels"))
    args = parser.parse_args()
    password = args.password.read_text().strip()
    name, key = access_token.get_hostname(args.file, password), access_token.get_api_key(args.file, password)
    assert name == args.host
    user = user_in_dcor_aid(args.file, password, name, key)
    dcor_client.trust(args.certificate.read_text())
    server = Server(name, key)
    beads = dcor_client.measurements(args.wheels)["calibration_beads_47.rtdc"]
    dataset, resource = args.read or roundtrip.upload(server, beads)
    roundtrip.read(server, beads, dataset, resource)
    print(json.dumps({"user": user, "dataset": dataset, "resource": resource}))


def user_in_dcor_aid(file: str, password: str, name: str, key: str) -> str:
    """Do what DCOR-Aid's wizard and its start do, and return who the server says that one is.

    It is asked with the certificate of the file, whatever this Python trusts.
    """
    settings: dict[str, Any] = {}
    wizard_init, gui_api = without_windows(settings)
    wizard = SimpleNamespace(
        get_user_scenario=lambda: "medical",
        lineEdit_access_token_path=SimpleNamespace(text=lambda: file),
        lineEdit_access_token_password=SimpleNamespace(text=lambda: password),
    )
    wizard.get_server = lambda: wizard_init.InitWizard.get_server(wizard)
    wizard.get_api_key = lambda: wizard_init.InitWizard.get_api_key(wizard)
    with contextlib.suppress(SystemExit):  # DCOR-Aid has to be started again then
        wizard_init.InitWizard._finalize(wizard)  # noqa: SLF001 (what the button does)
    assert (settings["auth/server"], settings["auth/api key"]) == (name, key)
    api = gui_api.get_ckan_api()
    assert Path(str(api.verify)).read_bytes() == access_token.get_certificate(file, password)
    return str(api.get_user_dict()["name"])


def without_windows(settings: dict[str, Any]) -> tuple[Any, Any]:
    """Return DCOR-Aid's wizard and its connection, with Qt's windows left out and Qt's settings in a dictionary."""
    stored = SimpleNamespace(
        value=lambda name, default=None: settings.get(name, default),
        setValue=settings.__setitem__,
        contains=settings.__contains__,
        remove=settings.pop,
        sync=lambda: None,
    )
    core = MagicMock(QSettings=lambda: stored, pyqtSlot=lambda *_: lambda function: function)
    widgets = MagicMock(QWizard=type("QWizard", (), {}))
    vars_of = {"QtCore": core, "QtWidgets": widgets, "uic": MagicMock()}
    modules: dict[str, dict[str, Any]] = {
        "PyQt6": vars_of,
        "PyQt6.QtCore": {},
        "PyQt6.QtWidgets": {"QMessageBox": MagicMock(), "QWizard": object},
    }
    package = importlib.import_module("dcoraid")
    modules["dcoraid.gui"] = {"__path__": [f"{Path(str(package.__file__)).parent}/gui"]}
    for module, content in modules.items():
        sys.modules[module] = types.ModuleType(module)
        vars(sys.modules[module]).update(content)
    return importlib.import_module("dcoraid.gui.wizard_init"), importlib.import_module("dcoraid.gui.api")


if __name__ == "__main__":
    main()
