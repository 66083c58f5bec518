"""The number of a page has no upper limit."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, Versions

ISSUE = Issue(
    name="page_numbers",
    symptom='Solr responded with an error (HTTP 400): [Reason: For input string: "1999999999999999999960"], and 500',
    cause="CKAN passes any page number on; Solr counts rows with 32 bits. With the cure the last page is number "
    "1,000,000, which is enough for 2,000 rows on each.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Strangers fill the log with tracebacks, in which an admin does not find a real fault.",
    detection="`if p < 1` in get_page_number, ckan/lib/helpers.py",
    cure=ReplaceText(
        "ckan/lib/helpers.py",
        faulty='        if p < 1:\n            raise ValueError("Negative number not allowed")\n',
        fixed='        if not 1 <= p <= 1000000:\n            raise ValueError("There is no such page")\n',
    ),
    proof="tests/system/test_known_issues.py: 400 for ?page=99999999999999999999 of each page and feed",
)
