"""The virtual environment of a test instance: the tools of the suites, over the modules of the release that serves.

It is beside the release, which never changes, and has no pip of its own. In `bin` are links to the release's programs:
dcor_control runs the pip that is beside its own program.
"""

from __future__ import annotations

from dcor_pkg.ckan import checkouts, release, release_checkouts
from dcor_pkg.machine import python_environment
from dcor_pkg.machine.host import Access, Host
from dcor_pkg.machine.paths import PACKAGED_CKAN
from dcor_pkg.test_instance.places import ENVIRONMENT, SHIPPED

WHEELS = f"{SHIPPED}/wheels"
PUBLIC = Access(0o644)
#: in site-packages. A path alone would leave out what the release's own files of this kind do (module `site` in
#: Python's documentation)
LINK = "release.pth"
#: the release's programs that suites, and whoever uses the environment by hand, start
PROGRAMS = ("ckan", "dcor", "pip")


def make(host: Host, active: str) -> None:
    """Make the environment for a release. Raises DcorError."""
    home = release.directory(active)
    host.run(python_environment.program(host, home), "-I", "-m", "venv", "--without-pip", ENVIRONMENT)
    host.run(
        *(f"{PACKAGED_CKAN}/bin/python", "-m", "pip", f"--python={ENVIRONMENT}/bin/python", "install", "--quiet"),
        *("--disable-pip-version-check", "--root-user-action=ignore", "--no-index", f"--find-links={WHEELS}"),
        *("--require-hashes", "--no-deps", f"--requirement={WHEELS}/requirements.txt"),
        environment={"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1"},
    )
    site = python_environment.site_packages(host, ENVIRONMENT)
    modules = python_environment.site_packages(host, home)
    host.write(f"{site}/{LINK}", f"import site; site.addsitedir({modules!r})\n", PUBLIC)
    for program in PROGRAMS:
        host.link(f"{ENVIRONMENT}/bin/{program}", f"{home}/bin/{program}")


def version(host: Host, active: str, name: str) -> str:
    """Return the version of an extension in the environment: that of a checkout, or of the release; "" for none."""
    for home in (ENVIRONMENT, release.directory(active)):
        site = python_environment.site_packages(host, home)
        found = release_checkouts.tested_one(host, site, checkouts.normalized(name))
        if found is not None:
            return found.rpartition("-")[2]
    return ""
