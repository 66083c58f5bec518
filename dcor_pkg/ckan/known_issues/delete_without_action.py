"""The command `ckan dataset delete` passes by the action that deletes a dataset."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="delete_without_action",
    symptom="200 for GET /circle-C/resource/R without a login, after `ckan dataset delete`",
    cause="The command changes the dataset in the database, and no plugin that extends package_delete gets to know of it: "
    "so nothing withdraws the files.",
    versions=Versions("ckan", since="2.11.6"),
    cost="What an admin deletes by CKAN's command stays readable until the next night.",
    detection="`dataset.delete()` in ckan/cli/dataset.py",
    cure=ReplaceText(
        "ckan/cli/dataset.py",
        faulty="    dataset.delete()\n    model.repo.commit_and_remove()\n",
        fixed="""\
    site_user = logic.get_action(u'get_site_user')({u'ignore_auth': True}, {})
    context: Context = {u'user': site_user[u'name'], u'ignore_auth': True}
    logic.get_action(u'package_delete')(context, {u'id': dataset.id})
    model.Session.remove()
""",
    ),
    proof="tests/system/test_withdrawal.py: 403 after the command",
)
