"""Paths and users that several rooms name, each in one place."""

from __future__ import annotations

#: the user that CKAN, its job workers and nginx's workers run as; dcor_control expects this name
CKAN_USER = "www-data"
CKAN_HOME = "/var/www"

CONFIGURATION = "/etc/dcor-server"
STATE = "/var/lib/dcor-server"
#: supervisor's files for the programs of releases
PROGRAMS = f"{STATE}/programs"
LOGS = "/var/log/dcor-server"
CKAN_LOGS = "/var/log/ckan"
#: what a purge preserves for a new installation
PRESERVED = "/var/backups/dcor-server/kept"

#: the virtual environment that the package python-ckan brings; no service runs from it
PACKAGED_CKAN = "/usr/lib/ckan/default"
#: the suffix of python-ckan's own files where links to the active release replace them (dpkg-divert(1))
DIVERTED_SUFFIX = ".distrib"
#: the symbolic link to the active release
CURRENT = f"{STATE}/current"
#: while it exists, HDF5 locks no files
HDF5_WITHOUT_LOCKS = f"{STATE}/hdf5-without-locks"
#: of each checkout that is developed, the code that programs have loaded
CHECKOUTS = f"{STATE}/checkouts"
#: the configuration of CKAN
CKAN_INI = "/etc/ckan/default/ckan.ini"

#: state file: the addresses in each database that this server has used
ADDRESSES = f"{STATE}/addresses-by-database.json"

#: state file: the release that this server has gone back from, and the one that serves in its place
HELD_RELEASE = f"{STATE}/held-release.json"

#: state file: the migration of the database, or the way back from one, that is under way
MIGRATION = f"{STATE}/migration.json"

SYSTEMD_UNITS = "/etc/systemd/system"

#: the certificate authorities that this machine trusts (update-ca-certificates(8))
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
