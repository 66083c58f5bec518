"""Where a test instance is, what its parts are called, and where they listen. Production has none of these names."""

from __future__ import annotations

from dcor_pkg.machine.paths import STATE

#: all of it but the units, the configuration of CKAN and the database
HOME = f"{STATE}/test-instance"
#: says that it is complete; without this file what is there was cut off
RECORD = f"{HOME}/instance.json"
#: the configuration of CKAN, where upstream's manual has it
INI = "/etc/ckan/default/test-dcor.ini"
#: a virtual environment with the tools of the suites, and the modules of the release
ENVIRONMENT = f"{HOME}/environment"
#: CKAN's user writes in these: copies of tests with their reports; files of CKAN
SUITES, FILES = f"{HOME}/suites", f"{HOME}/ckan"

#: database and role have the same name, as in upstream's manual
DATABASE = "ckan_test"

#: TCP ports on loopback
SOLR_PORT, STORE_PORT = 8984, 8985

#: one command at a time makes, uses or removes it
LOCK = "/run/dcor-server-test-instance.lock"

#: what the package dcor-wheels-test brings
PACKAGE = "dcor-wheels-test"
SHIPPED = "/usr/share/dcor-wheels-test"
