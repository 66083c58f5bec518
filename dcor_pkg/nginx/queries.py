"""Queries that CKAN cannot process, as regular expressions for nginx's maps: it would answer them with 500.

CKAN passes a page's number on to Solr as it is, and expects the limit of a facet to be a number (ckan/lib/helpers.py,
get_page_number; ckan/views/group.py, read).
"""

from __future__ import annotations

#: Solr cannot take the number of a dataset from 2^31 on, and there are 20 on a page.
PAGE_DIGITS = 8


def encoded(word: str) -> str:
    """Return a regular expression for a word in a query, each letter of which may be encoded (RFC 3986, 2.1)."""
    return "".join(f"(?:{letter}|%(?i:{ord(letter):02x}))" for letter in word)
