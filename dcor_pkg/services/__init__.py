"""The four services that CKAN needs, each local or external."""
