"""nginx: the site, the admin's additions, its workers."""
