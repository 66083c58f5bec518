"""The download of a file that has no address yet is an internal error."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="download_without_address",
    symptom="werkzeug.routing.exceptions.BuildError: Could not build url for endpoint ''., and 500, for GET "
    "/dataset/D/resource/R/download",
    cause="CKAN asks whether a resource has the key `url`, which it always has; it is empty until DCOR's background job "
    "has run.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Users see an internal error in place of 'No download is available'.",
    detection="`elif u'url' not in rsc` in ckan/views/resource.py",
    cure=ReplaceText(
        "ckan/views/resource.py",
        faulty="    elif u'url' not in rsc:\n        return base.abort(404, _(u'No download is available'))\n",
        fixed="    elif not rsc.get(u'url'):\n        return base.abort(404, _(u'No download is available'))\n",
    ),
    proof="tests/system/test_known_issues.py: 404 before the job has run",
)
