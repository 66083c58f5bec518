"""The lifetime of a presigned URL is not a whole number of seconds."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="float_expiry",
    symptom="400 AuthorizationQueryParametersError: X-Amz-Expires should be a number",
    cause="dcor_shared.s3.create_time returns a float, so the lifetime of a presigned URL is one as well; "
    "Signature Version 4 takes whole seconds only.",
    versions=Versions("dcor_shared", since="1.0.4"),
    cost="No private measurement can be downloaded or opened: the object store rejects each presigned URL.",
    detection="`return time.time()` in dcor_shared/s3.py",
    cure=ReplaceText(
        "dcor_shared/s3.py",
        faulty="    return time.time()\n",
        fixed="    return int(time.time())\n",
    ),
    proof="tests/system/test_private.py: a private measurement is read by its presigned URL",
)
