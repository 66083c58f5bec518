"""The modules of dcor-server that run in a release, under its Python: the only ones that may import CKAN."""

#: the region in signatures; any name will do. Without one botocore presigns with Signature Version 2 instead of 4.
REGION = "dcor"
