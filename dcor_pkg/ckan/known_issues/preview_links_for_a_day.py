"""The link to the preview of a public file remains valid for a day."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues import links_for_a_day
from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="preview_links_for_a_day",
    symptom="200 for the address of a preview with X-Amz-Expires=86400 (or a little less), a day after a dataset was deleted",
    cause="ckanext-dc_view redirects the preview of a public file to a signed link with a lifetime of 86400 s. The store "
    "accepts a signature whoever may read the object by then.",
    versions=Versions("ckanext-dc_view", since="1.0.2"),
    cost="A preview that was taken back can be seen for another day by everybody who has followed a link to it.",
    detection="`expiration = 86400` in ckanext/dc_view/route_funcs.py",
    cure=ReplaceText("ckanext/dc_view/route_funcs.py", links_for_a_day.FAULTY, links_for_a_day.FIXED),
    proof="tests/system/test_withdrawal.py: the lifetime of the links to a public file",
)
