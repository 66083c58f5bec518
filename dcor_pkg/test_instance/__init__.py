"""A test instance: a second CKAN beside the one that serves, in which the tests of its extensions run."""
