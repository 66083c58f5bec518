"""What of ours runs inside a release, by its Python: the only code here that may import CKAN."""
