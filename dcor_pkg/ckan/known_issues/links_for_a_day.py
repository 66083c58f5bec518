"""The link to a public file that CKAN hands out for a download remains valid for a day."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

FAULTY = """\
            if ds_dict["private"]:
                expiration = 3600
            else:
                expiration = 86400
"""
FIXED = """\
            # A signature outlives the withdrawal of a public file; private
            # ones are read in ranges, with one link for all of them.
            expiration = 3600 if ds_dict["private"] else 600
"""
ISSUE = Issue(
    name="links_for_a_day",
    symptom="200 for an address with X-Amz-Expires=86400 (or a little less), a day after a dataset was deleted",
    cause="ckanext-dc_serve redirects the download of a public file, and of its condensed version, to a signed link with a "
    "lifetime of 86400 s. The store accepts a signature whoever may read the object by then.",
    versions=Versions("ckanext-dc_serve", since="1.0.9"),
    cost="What was taken back can be read for another day by everybody who has followed a link to it.",
    detection="`expiration = 86400` in ckanext/dc_serve/route_funcs.py",
    cure=ReplaceText("ckanext/dc_serve/route_funcs.py", faulty=FAULTY, fixed=FIXED),
    proof="tests/system/test_withdrawal.py: the lifetime of the links to a public file",
)
