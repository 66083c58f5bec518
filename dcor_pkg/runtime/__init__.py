"""What of ours runs inside a release, by its Python: the only code here that may import CKAN."""

#: the scope of signatures: without a region botocore presigns with SigV2, with one that it does not know, with SigV4
REGION = "dcor"
