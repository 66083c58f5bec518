"""The download by name of a file that is not in the object store is an internal error."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="named_download_without_address",
    symptom="werkzeug.routing.exceptions.BuildError: Could not build url for endpoint ''., and 500, for GET "
    "/dataset/D/resource/R/download/NAME",
    cause="ckanext-dc_serve redirects to a resource's `url`, which may be empty.",
    versions=Versions("ckanext-dc_serve", since="1.0.9"),
    cost="Users see an internal error in place of 'Resource not found'.",
    detection='`return toolkit.redirect_to(res_dict["url"])` without a check in ckanext/dc_serve/route_funcs.py',
    cure=ReplaceText(
        "ckanext/dc_serve/route_funcs.py",
        faulty='\n\n    return toolkit.redirect_to(res_dict["url"])\n',
        fixed="""

    if not res_dict.get("url"):
        return toolkit.abort(404, toolkit._('Resource not found'))
    return toolkit.redirect_to(res_dict["url"])
""",
    ),
    proof="tests/system/test_known_issues.py: 404 for a resource that was never uploaded",
)
