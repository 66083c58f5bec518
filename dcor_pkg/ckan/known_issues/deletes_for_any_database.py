"""Commands and tests that are run with a copy of ckan.ini and another database delete all measurements."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

FAULTY = """\
            "dcor_object_store.secret_access_key"),
    )
    ssl_verify = """
FIXED = """\
            "dcor_object_store.secret_access_key"),
    )
    # Nothing is deleted for a database that the store is not of.
    from dcor_runtime import own_store
    own_store.guard(s3_session)
    ssl_verify = """
ISSUE = Issue(
    name="deletes_for_any_database",
    symptom="404 for every measurement, after ckan dcor-prune-orphaned-s3-artifacts or the tests of ckanext-dcor_schemas "
    "were run with another database; they print: Found bucket circle-...",
    cause="dcor-prune-orphaned-s3-artifacts deletes every object and bucket that the database in use does not contain, "
    "and its test runs it. dcor-move-dataset-to-circle and dcor-prune-stale-multipart-uploads delete as well. None of them "
    "looks at whose objects these are. The cure lets the client of the store refuse each deletion for a database of which "
    "the store does not have the mark (dcor_runtime.own_store).",
    versions=Versions("dcor_shared", since="1.0.4"),
    cost="The manual's own way of testing deletes all measurements.",
    detection="boto3.Session in get_s3 in dcor_shared/s3.py, without dcor_runtime.own_store",
    cure=ReplaceText("dcor_shared/s3.py", faulty=FAULTY, fixed=FIXED),
    proof="tests/system/test_other_database.py: all objects are still there after both",
)
