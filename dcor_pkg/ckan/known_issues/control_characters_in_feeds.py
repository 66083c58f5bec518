"""A control character in a title, or in a search, breaks a feed."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckan/views/feed.py"
ISSUE = Issue(
    name="control_characters_in_feeds",
    symptom="ValueError: All strings must be XML compatible: Unicode or ASCII, no NULL bytes or control characters, "
    "and 500, for a feed",
    cause="Of what users write, CKAN removes the characters that XML cannot contain from the description of a dataset "
    "alone: not from titles, nor from the text of a search, which is in the feed's own description.",
    versions=Versions("ckan", since="2.11.6"),
    cost="One dataset with such a title stops all feeds that contain it.",
    detection="`title=pkg.get(u'title', u'')` in output_feed, ckan/views/feed.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="        feed_title,\n        feed_link,\n        feed_description,\n        language=",
                fixed="        remove_control_characters(feed_title),\n        feed_link,\n"
                "        remove_control_characters(feed_description),\n        language=",
            ),
            ReplaceText(
                FILE,
                faulty="            title=pkg.get(u'title', u''),\n",
                fixed="            title=remove_control_characters(pkg.get(u'title', u'')),\n",
            ),
        )
    ),
    proof="tests/system/test_known_issues.py: a feed of a search for a control character",
)
