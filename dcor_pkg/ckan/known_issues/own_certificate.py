"""The programs of a release do not trust the certificate of their own server."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceByLink, Versions
from dcor_pkg.tls.trust_bundle import BUNDLE

ISSUE = Issue(
    name="own_certificate",
    symptom="[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
    cause="Programs of a release ask the object store by https, and trust the authorities in certifi's own file only: "
    "with `dcor_object_store.ssl_verify = true` botocore ignores AWS_CA_BUNDLE.",
    versions=Versions("certifi", since="2026.1.4"),
    cost="On a server with a self-signed certificate CKAN cannot reach the object store, so nothing can be uploaded.",
    detection="certifi/cacert.pem is not a link to the server's own trust bundle",
    cure=ReplaceByLink("certifi/cacert.pem", BUNDLE),
    proof="tests/system/test_measurement.py: a measurement is uploaded to a server with a self-signed certificate",
)
