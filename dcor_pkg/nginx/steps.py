"""The steps of nginx: the directories of the admin's additions, pages, the site, the service, and its answer."""

from __future__ import annotations

from dcor_pkg.answers.settings import Settings
from dcor_pkg.kernel.directory import Directory
from dcor_pkg.kernel.step import Step
from dcor_pkg.machine.facts import Facts
from dcor_pkg.machine.host import Access
from dcor_pkg.nginx import additions
from dcor_pkg.nginx.error_pages import error_pages
from dcor_pkg.nginx.served import Served
from dcor_pkg.nginx.service import DROP_IN, UNIT, NginxService
from dcor_pkg.nginx.site import Site, site
from dcor_pkg.nginx.trust_page import trust_page
from dcor_pkg.tls import acme
from dcor_pkg.tls.steps import nginx_steps


def steps(settings: Settings, facts: Facts) -> tuple[Step, ...]:
    """Return the steps that make nginx serve CKAN and the object store.

    The site refers to the directories and pages, so they come first. An authority asks nginx before it issues a
    certificate, which then comes into use as in the steps before.
    """
    trusted, service, served = trust_page(settings), NginxService(UNIT), Served(settings.hostname)
    return (
        Directory(additions.DIRECTORY, Access(0o755)),
        Directory(additions.COPIES, Access(0o700)),
        error_pages(settings),
        trusted,
        Site(site(settings, facts)),
        DROP_IN,
        service,
        served,
        *acme.issued(settings, then=(*nginx_steps(settings), trusted, service, served)),
    )
