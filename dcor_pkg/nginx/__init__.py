"""nginx: the site, the admin's additions to it, the service, and its worker processes."""
