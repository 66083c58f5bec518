"""Anybody gets addresses to which a file can be uploaded."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="uploads_without_login",
    symptom='200 "upload_urls" for GET /api/3/action/resource_upload_s3_urls without an Authorization header; '
    "KeyError: 'organization_id', and 500, without arguments",
    cause="The action resource_upload_s3_urls says that its auth function checks whether the user is a member of the "
    "circle, but CKAN calls an auth function only where the action itself calls check_access. The size of the file is "
    "not checked either; the object store takes at most 5 TiB in one object.",
    versions=Versions("ckanext-dcor_schemas", since="1.1.2"),
    cost="Strangers can fill the disk, and get buckets made for circles that do not exist.",
    detection="get_resource_upload_s3_urls in ckanext/dcor_schemas/actions.py without check_access",
    cure=ReplaceText(
        "ckanext/dcor_schemas/actions.py",
        faulty="""\
    # The corresponding auth function already checks whether the user
    # is a member of the organization.
    org_id = data_dict["organization_id"]
    file_size = int(float(data_dict["file_size"]))
""",
        fixed="""\
    # The auth function checks whether the user is a member of the
    # organization.
    toolkit.check_access("resource_upload_s3_urls", context, data_dict)
    org_id, file_size = toolkit.get_or_bust(
        data_dict, ["organization_id", "file_size"])
    try:
        file_size = int(float(file_size))
    except (TypeError, ValueError, OverflowError):
        file_size = -1
    if not 0 <= file_size <= 5 * 2**40:
        raise toolkit.ValidationError(
            {"file_size": ["Must be a number of bytes, at most 5 TiB"]})
""",
    ),
    proof="tests/system/test_known_issues.py: without a login the answer is 403",
)
