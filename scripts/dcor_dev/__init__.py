"""Build packages and repositories of a checkout, and machines to test them on; never installed on a server."""
