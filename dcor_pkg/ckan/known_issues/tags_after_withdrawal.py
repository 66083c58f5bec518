"""A background job publishes the files of a dataset that was deleted or made private while it ran."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "dcor_shared/s3cc.py"
ISSUE = Issue(
    name="tags_after_withdrawal",
    symptom="200 for an object of a deleted dataset, the morning after the object was made unreadable",
    cause="make_resource_public publishes whatever it is called with. Background jobs call it, and `run-jobs-dcor-schemas` "
    "each night, where `private` of a dataset is false, which it is of a deleted one as well. upload_artifact looks at "
    "`private` before an upload that may take minutes. Drafts are published, too, before their owner publishes them.",
    versions=Versions("dcor_shared", since="1.0.4"),
    cost="What was taken back is published again.",
    detection="make_object_public in make_resource_public, and `private=private` in upload_artifact, both in "
    "dcor_shared/s3cc.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="""\
    for artifact in ["condensed", "preview", "resource"]:
        bucket_name, object_name = get_s3_bucket_object_for_artifact(
            resource_id=resource_id, artifact=artifact)
        s3.make_object_public(bucket_name=bucket_name,
                              object_name=object_name,
                              missing_ok=missing_ok)
""",
                fixed="""\
    # Whether it is public is what the database says now.
    from dcor_runtime import publication
    publication.settle_resource(resource_id)
""",
            ),
            ReplaceText(
                FILE,
                faulty="""\
        sha256=sha256,
        private=private,
        override=override)
    return s3_url
""",
                fixed="""\
        sha256=sha256,
        private=True,
        override=override)
    # Whether it is public is what the database says after the upload.
    make_resource_public(resource_id)
    return s3_url
""",
            ),
        )
    ),
    proof="tests/system/test_withdrawal.py: a deleted dataset is not readable after the nightly jobs",
)
