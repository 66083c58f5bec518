"""What was published can be read for ever: nothing withdraws it when a dataset is deleted or made private."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckanext/dcor_schemas/plugin.py"
ISSUE = Issue(
    name="readable_after_withdrawal",
    symptom="200 for GET /circle-C/resource/R (and condensed, preview) without a login, after package_delete, "
    "dataset_purge, resource_delete, bulk_update_private or package_patch with private=true",
    cause="ckanext-dcor_schemas gives the objects of a dataset the tag public=true when it becomes public, before the "
    "database commits that, and never takes the tag away. The cure replaces that by chained actions, after the commit and "
    "in both directions (dcor_runtime.publication).",
    versions=Versions("ckanext-dcor_schemas", since="1.1.2"),
    cost="What was published by mistake stays readable to everybody who has had the address.",
    detection="make_resource_public in after_dataset_update, and get_actions, in ckanext/dcor_schemas/plugin.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="""\
                actions.get_supported_resource_suffixes,
        }
""",
                fixed="""\
                actions.get_supported_resource_suffixes,
            **publication.ACTIONS,
        }
""",
            ),
            ReplaceText(
                FILE,
                faulty="from dcor_shared import DC_MIME_TYPES, s3cc\n",
                fixed="from dcor_runtime import publication\nfrom dcor_shared import DC_MIME_TYPES\n",
            ),
            ReplaceText(
                FILE,
                faulty="""\
                # Make sure the S3 resources get the "public:true" tag.
                for res in data_dict["resources"]:
                    s3cc.make_resource_public(res["id"])
""",
                fixed="""\
                # publication.ACTIONS do this after the commit.
                pass
""",
            ),
        )
    ),
    proof="tests/system/test_withdrawal.py: 403 as soon as CKAN has answered",
)
