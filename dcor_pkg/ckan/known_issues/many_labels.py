"""A user with many circles, collections and shared datasets cannot search."""

from __future__ import annotations

from dcor_pkg.ckan.known_issues.issue import Issue, ReplaceText, ReplaceTexts, Versions

FILE = "ckan/lib/search/query.py"
ISSUE = Issue(
    name="many_labels",
    symptom="Solr responded with an error (HTTP 400): [Reason: Cannot parse '+permission_labels:(...)': too many boolean "
    "clauses], and 409, for every search of one user",
    cause="A search asks Solr for one of the user's labels: one for each circle, collection and dataset that is shared "
    "with the user. CKAN joins them by OR, and Solr takes 1,024 such clauses (maxBooleanClauses). The cure uses Solr's "
    "terms query, which is made for long lists of exact terms.",
    versions=Versions("ckan", since="2.11.6"),
    cost="Users with more than about 1,000 shared datasets cannot search, nor see lists of datasets.",
    detection="`' OR '.join` over permission_labels in ckan/lib/search/query.py",
    cure=ReplaceTexts(
        (
            ReplaceText(
                FILE,
                faulty="""\
            fq.append('+state:active')

        # only return things we should be able to see
        if permission_labels is not None:
            fq.append('+permission_labels:(%s)' % ' OR '.join(
                solr_literal(p) for p in permission_labels))
        query['fq'] = fq
""",
                fixed="""\
            fq.append('+state:active')

        query['fq'] = fq
""",
            ),
            ReplaceText(
                FILE,
                faulty="""\
                    _check_query_parser(param, item)


        conn = make_connection(decode_dates=False)
""",
                fixed="""\
                    _check_query_parser(param, item)

        # only return things we should be able to see; added here because
        # users may not choose a query parser
        if permission_labels is not None:
            fq.append('{!terms f=permission_labels}'
                      + ','.join(permission_labels))

        conn = make_connection(decode_dates=False)
""",
            ),
        )
    ),
    proof="tests/engines/test_solr_service.py: Solr finds a dataset by the last of 5,000 labels",
)
